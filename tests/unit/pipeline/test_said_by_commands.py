"""What is added to the report of a test that a command failed."""

from __future__ import annotations

from subprocess import CalledProcessError
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tasklib.pipeline.inject.tasklib_in_pytest.commands import Commands


def sections_of(error: BaseException) -> list[tuple[str, str]]:
    sections: list[tuple[str, str]] = []
    report = SimpleNamespace(sections=sections)
    makereport = cast("Any", Commands()).pytest_runtest_makereport
    hook = makereport(None, SimpleNamespace(excinfo=SimpleNamespace(value=error)))
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(SimpleNamespace(excinfo=None, get_result=lambda: report))
    return sections


def test_output_that_is_no_text_can_leave_a_worker() -> None:
    """pytest-xdist sends no lone surrogates: the worker would be lost, and the test's failure with it."""
    error = CalledProcessError(1, ["migrate"], output="caf\udce9", stderr=b"\xff gone")
    said = [("stdout of the command", "caf?"), ("stderr of the command", "\ufffd gone")]
    assert sections_of(error) == said


def test_a_command_may_be_why_something_else_was_raised() -> None:
    """A helper that says it in its own words keeps those of the command, unless it wants them gone."""
    error = CalledProcessError(1, ["migrate"], output="no such table")
    caused, during, alone = (RuntimeError("no database") for _ in range(3))
    caused.__cause__ = error
    during.__context__ = error
    alone.__context__, alone.__suppress_context__ = error, True
    said = [("stdout of the command", "no such table")]
    assert [sections_of(raised) for raised in (caused, during, alone)] == [said, said, []]
    alone.__cause__ = caused
    caused.__cause__ = alone
    assert sections_of(alone) == []

"""What is added to the report of a test that a command failed."""

from __future__ import annotations

from subprocess import CalledProcessError
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tasklib.pipeline.inject.tasklib_in_pytest.commands import Commands


def test_output_that_is_no_text_can_leave_a_worker() -> None:
    """pytest-xdist sends no lone surrogates: the worker would be lost, and the test's failure with it."""
    report = SimpleNamespace(sections=[])
    error = CalledProcessError(1, ["migrate"], output="caf\udce9", stderr=b"\xff gone")
    makereport = cast("Any", Commands()).pytest_runtest_makereport
    hook = makereport(None, SimpleNamespace(excinfo=SimpleNamespace(value=error)))
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(SimpleNamespace(excinfo=None, get_result=lambda: report))
    assert report.sections == [("stdout of the command", "caf?"), ("stderr of the command", "\ufffd gone")]

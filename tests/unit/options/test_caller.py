"""Lines that users type again."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.options.caller import TASKLIB, Caller, typed_program


@pytest.mark.parametrize(
    ("argv0", "program"),
    [
        ("/usr/bin/invoke", ("invoke",)),
        ("inv", ("inv",)),
        ("/venv/lib/nox/__main__.py", ("python", "-m", "nox")),
        ("run.py", ("python", "run.py")),
        ("", ("tasklib",)),
    ],
)
def test_a_program_is_spelled_as_it_was_typed(argv0: str, program: tuple[str, ...]) -> None:
    """A script by its name, a module by `-m`."""
    assert typed_program(argv0) == program


def test_what_a_program_does_not_know_is_spelled_for_one_that_does() -> None:
    """`tasklib` knows all commands."""
    nox = Caller(("nox",), {"test.unit": "unit"}, sessions=True)
    assert nox.line("test.unit") == "nox -s unit"
    assert nox.line("test.unit", "--name", "api") == "nox -s unit -- --name api"
    assert nox.line("clean.stale", "--yes") == "tasklib clean.stale --yes"


def test_all_stages_are_typed_as_the_collection_alone() -> None:
    """The default task of a collection, for each program."""
    assert TASKLIB.line("test.all") == "tasklib test"
    assert Caller(("inv",), {"test.all": "test.all"}).line("test.all", "--jobs", "2") == "inv test --jobs 2"
    assert Caller(("nox",), {"test.all": "test"}, sessions=True).line("test.all") == "nox -s test"


@given(st.lists(st.text(min_size=1).filter(lambda word: "\0" not in word)))
def test_words_stay_whole(words: list[str]) -> None:
    """Whatever they hold, a shell takes each for one word and none for a command."""
    assert shlex.split(TASKLIB.line("test.unit", *words)) == ["tasklib", "test.unit", *words]

"""What pytest can be asked besides running tests: to show something, or to stop and talk with someone."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

from tasklib import process
from tasklib.errors import UsageError
from tasklib.options.caller import Caller
from tasklib.pipeline.runners.pytest import environment
from tasklib.pipeline.suites.detect import conftests
from tasklib.pipeline.suites.suite import Suite, SuiteKind
from tasklib.results import Stage
from tasklib.shown.cleaning import visible

__all__ = ["asks", "refuse_talking", "show", "shows"]

_SHOWING = frozenset(
    {
        "--co",
        "--collect-only",
        "--fixtures",
        "--funcargs",
        "--fixtures-per-test",
        "--markers",
        "--version",
        "-V",
        "--help",
        "-h",
        "--cache-show",
        "--setup-plan",
    }
)
_TALKING = frozenset({"--pdb", "--trace"})


def asks(extra: Sequence[str]) -> bool:
    """Whether any of these arguments may ask pytest for something else than running tests."""
    return any(word.partition("=")[0] in _SHOWING | _TALKING for word in extra)


def shows(suites: Sequence[Suite], extra: Sequence[str]) -> bool:
    """Whether these arguments make pytest, if any suite is run by it, only show something."""
    asked = any(word.partition("=")[0] in _SHOWING for word in extra)
    return asked and any(suite.kind is SuiteKind.PYTEST for suite in suites)


def refuse_talking(suites: Sequence[Suite], extra: Sequence[str], caller: Caller) -> None:
    """Refuse a debugger, which needs a terminal that many tests at once cannot share.

    Raises :class:`~tasklib.errors.UsageError` with the command to type instead, for the first suite.
    """
    asked = [word for word in extra if word in _TALKING]
    found = next((suite for suite in suites if suite.kind is SuiteKind.PYTEST), None)
    if asked and found:
        raise UsageError(
            f"{asked[0]} needs the terminal, which the tests of a run do not get",
            remedy=f"Type: {_typed(found, caller)}",
        )


def _typed(suite: Suite, caller: Caller) -> str:
    """The suite's tests as a line to type, its stack brought up before."""
    words = suite.plain
    # Our plugin, which defines the option where nobody else does, is not in that line.
    if not any(b"--integration" in conftest.read_bytes() for conftest in conftests(suite.tests)):
        words = tuple(word for word in words if word != "--integration")
    steps = [f"cd {shlex.quote(str(suite.cwd))}", shlex.join(words)]
    if suite.target.stage is not Stage.UNIT:
        named = ("--name", suite.target.service) if suite.target.stage is Stage.SERVICE else ()
        variables = caller.line("infra.env", *named)
        steps = [caller.line("infra.up", *named), f'eval "$({variables})"', *steps]
    return " && ".join(steps)


def show(
    suites: Sequence[Suite], env: Mapping[str, str], say: Callable[[str], None], cancel: process.Cancel
) -> int:
    """Let pytest show what it was asked for, suite after suite; returns 0, or 2 where it would not.

    No stack is brought up for it.
    """
    code = 0
    for suite in suites:
        if suite.kind is not SuiteKind.PYTEST:
            say(f"{suite.target}: not run by pytest")
            continue
        say(f"{suite.target}:")
        # With our plugin, which tells nobody anything here, options are known as when tests run.
        ended = process.stream(
            suite.argv,
            on_line=lambda _, line: say(f"  {visible(line)}"),
            cwd=suite.cwd,
            env=environment(suite, env),
            cancel=cancel,
        )
        if ended not in (0, 5):  # 5: pytest found no test to show
            code = 2
    return code

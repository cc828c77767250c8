"""PURE: what a finished test process amounts to, from what it reported and how it ended."""

from __future__ import annotations

import signal

from msgspec import Struct

from tasklib.pipeline.runners.texts import shorten
from tasklib.pipeline.runners.wire import Stop
from tasklib.results import NOTHING_LEFT, Counts, Outcome
from tasklib.shown.cutting import several

__all__ = ["Ending", "Verdict", "how_it_ended", "judge", "why_unfinished"]

USAGE = 4
NO_TESTS = 5
"""The exit codes by which pytest says that its arguments are wrong, and that it collected nothing."""


class Ending(Struct, frozen=True):
    """What is known when the process is gone.

    ``code`` is its exit code (``None``: it was ended for its time limit, ``limit`` seconds), ``spoke``
    whether it ever reported, ``collected`` whether it came to its tests, ``running`` the tests that it ended
    in, ``silent`` for how many seconds it had said nothing when that was why, ``chosen`` the option that
    narrowed the tests although nobody typed it, with its value, ``ended`` the exit code that it announced
    itself (``None``: it never did), ``stopped`` why the session was interrupted from inside, ``trouble`` what
    kept it from working (with its kind), ``last`` the last lines of its output, ``part`` which part of its
    tests was to run (empty: all), ``left`` an option that nobody typed and that may leave no test,
    ``importing`` the file that it was importing, ``asked`` whether collecting alone was typed.
    """

    code: int | None
    counts: Counts
    spoke: bool = True
    ended: int | None = None
    only_collected: bool = False
    asked: bool = True
    collected: bool = True
    running: tuple[str, ...] = ()
    deselected: int = 0
    keyword: str = ""
    paths: tuple[str, ...] = ()
    stopped: str = ""
    trouble: tuple[str, str] | None = None
    coverage: tuple[float, float] | None = None
    limit: float = 0.0
    silent: float = 0.0
    chosen: tuple[str, str] = ("", "")
    last: str = ""
    runner: str = "pytest"
    part: str = ""
    left: str = ""
    importing: str = ""


class Verdict(Struct, frozen=True):
    outcome: Outcome
    reason: str = ""
    exit_code: int = 0


def judge(ending: Ending) -> Verdict:
    """The outcome, with the reason where the tests alone do not explain it.

    A pass needs all of it: the runner announced its end, with code 0, the process left with 0, and tests ran.
    """
    where = f"while {ending.importing} was imported" if ending.importing else "between tests"
    if ending.running:
        where = f"while {several(ending.running, join=' and ')} ran"
    if ending.code is None:
        idle = "no test was running" if ending.collected else "it had not come to its tests"
        running = f"{several(ending.running, join=' and ')} was running" if ending.running else idle
        after = f"{ending.silent:g} s of silence" if ending.silent else f"{ending.limit:g} s, its time limit"
        return Verdict(Outcome.ERROR, f"ended after {after}: {running}", 1)
    if ending.trouble:
        return _troubled(ending.runner, *ending.trouble)
    if not ending.spoke:
        return Verdict(
            Outcome.ERROR,
            _with(f"{ending.runner} did not start ({how_it_ended(ending.code)})", ending.last),
            2,
        )
    if ending.ended is None and ending.code == USAGE and ending.runner == "pytest":
        return _troubled(ending.runner, "usage", ending.last)
    if ending.ended is None:
        what = f"the test process ended {where} ({how_it_ended(ending.code)})"
        known = ending.running or ending.importing
        return Verdict(Outcome.ERROR, what if known else _with(what, ending.last), 1)
    if ending.stopped and ending.running:
        return Verdict(Outcome.ERROR, ending.stopped, 1)
    broken = ending.counts.failed + ending.counts.errors
    if broken:
        return Verdict(Outcome.FAILED, ending.stopped)
    if ending.stopped:
        return Verdict(Outcome.ERROR, ending.stopped, 1)
    if ending.only_collected and not ending.asked:
        what = "no test ran: --collect-only, --setup-only or --setup-plan stands in pytest's settings"
        return Verdict(Outcome.ERROR, f"{what}: take it out of addopts", 2)
    if ending.ended == NO_TESTS or ending.counts.total == 0:
        return _empty(ending)
    if ending.coverage:
        wanted, found = ending.coverage
        return Verdict(
            Outcome.FAILED, f"coverage is {found:.2f} %, below the {wanted:g} % that the project asks for"
        )
    code = ending.ended or ending.code
    if code:
        said = how_it_ended(code)
        return Verdict(
            Outcome.ERROR, _with(f"no test failed, but {ending.runner} ended with {said}", ending.last), 1
        )
    if ending.counts.done == 0 and not ending.only_collected:
        return Verdict(Outcome.ERROR, f"{ending.runner} ended without running any of its tests", 1)
    return Verdict(Outcome.PASSED)


def why_unfinished(code: int | None, silent: float, limit: float, stop: Stop | None) -> str:
    """Why a test did not end: the process (exit code ``code``) or the session, which ``stop`` says, did."""
    if silent:
        return f"still running, and nothing was heard for {silent:g} s"
    if code is None:
        return f"still running at the time limit of {limit:g} s"
    if stop:
        why = "" if stop.kind == "KeyboardInterrupt" else stop.why
        return f"the session was stopped in this test: {shorten(why) or stop.kind}"
    return f"the test process ended in this test ({how_it_ended(code)})"


def how_it_ended(code: int) -> str:
    """An exit code in words: a signal by its name, also as a wrapper passes it on (128 + n).

    >>> how_it_ended(-11), how_it_ended(139), how_it_ended(3)
    ('SIGSEGV', 'SIGSEGV', 'exit code 3')
    """
    number = -code if code < 0 else code - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"exit code {code}"


def _troubled(runner: str, kind: str, message: str) -> Verdict:
    said = {
        "conftest": "its conftest cannot be loaded",
        "exit": "sys.exit() was called while its files were imported",
        "usage": f"{runner} refused its arguments",
        "internal": f"{runner} or a plugin of it broke",
    }.get(kind, kind)
    return Verdict(Outcome.ERROR, f"{said}: {message}", 2 if kind == "usage" else 1)


def _empty(ending: Ending) -> Verdict:
    if ending.part and ending.deselected:
        return Verdict(Outcome.SKIPPED, f"{NOTHING_LEFT} {ending.part}")
    if ending.keyword and (ending.deselected or not ending.counts.skipped):
        return Verdict(Outcome.SKIPPED, f"no test matches -k {ending.keyword!r}")
    if ending.counts.skipped:
        return Verdict(Outcome.ERROR, "no test ran: every module skipped itself", 2)
    place = ", ".join(ending.paths[:3]) or "the folder"
    if ending.left:
        what = f"no test ran: {ending.left} in pytest's settings leaves out all in {place}"
        return Verdict(Outcome.ERROR, f"{what}; `-- -o addopts=` runs them", 2)
    if ending.deselected:
        what = f"no test ran: all {ending.deselected} in {place} are deselected"
        option, value = ending.chosen
        if value:
            what += (
                f" by {option} {value!r}: run them with `-- {option} ''`, or take the {option} out of addopts"
            )
        return Verdict(Outcome.ERROR, what, 2)
    return Verdict(Outcome.ERROR, f"no tests found in {place}", 2)


def _with(what: str, last: str) -> str:
    return f"{what}: {last}" if last else what

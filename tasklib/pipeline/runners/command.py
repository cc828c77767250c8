"""Runs any other test command: its JUnit report tells the tests, else its exit code is all there is."""

from __future__ import annotations

import contextlib
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import Interrupted
from tasklib.events import Event, Output
from tasklib.pipeline.runners import texts
from tasklib.pipeline.runners.heads import VERDICT, is_head
from tasklib.pipeline.runners.junit import read_junit, says_nothing
from tasklib.pipeline.runners.junit_places import placed
from tasklib.pipeline.runners.launching import Here, Launcher
from tasklib.pipeline.runners.patience import Patience
from tasklib.pipeline.runners.tally import Tally
from tasklib.pipeline.runners.verdict import Verdict, how_it_ended
from tasklib.pipeline.suites.suite import Suite
from tasklib.results import RAN, Counts, Outcome, TargetResult, TestOutcome, TestResult
from tasklib.shown.cleaning import visible
from tasklib.shown.cutting import flat, several
from tasklib.shown.masking import mask

__all__ = ["run_command"]

_REPORT = "{junit}"
"""Stands in a command for the file to write the report to."""

_REMEMBERED = 50
"""Last lines of a failed command that are its failure's detail."""

_BEFORE = 20
"""Lines before a failed test's that may be about it."""

_HEADS = 10
"""How many lines that name failed tests are kept of those before the last ones."""

_NAME = 100
"""Characters of a command or of a line in a reason."""

_LIBRARY = re.compile(
    r"\s+at (/rustc/|\S*/\.cargo/registry/|.*[/(](node_modules/|node:internal)|node:internal"
    r"|(org\.junit|org\.gradle|java\.base|jdk\.internal|java\.lang\.reflect)[./])"
)
_FUNCTION = re.compile(r"\s+\d+: \S")
"""Frames of libraries, which say nothing of the failure, and Rust's line before one."""

_SUMMARY = 12
_DONE = re.compile(
    r"\s*(\d+ (passing|passed|tests? passed)|Tests?: +\d|# pass \d|Jest did not exit|test result: )"
)
"""What runners say at their end, among the last lines."""


def run_command(
    suite: Suite,
    env: Mapping[str, str],
    emit: Callable[[Event], None],
    cancel: process.Cancel,
    launch: Launcher | None = None,
) -> TargetResult:
    """Run ``suite`` with the whole environment ``env``; see :func:`tasklib.pipeline.runners.run_suite`.

    Without a report the command counts as one test, called by its words.
    """
    began = time.monotonic()
    tally = Tally(suite.target, emit, suite.slow)
    last: deque[str] = deque(maxlen=_REMEMBERED)
    heads: list[str] = []
    before: dict[str, str] = {}
    patience = Patience(suite, began, began)

    def line(_: str, text: str) -> None:
        patience.heard = time.monotonic()
        text = texts.bounded(mask(text))  # masked before anybody cuts it
        if len(before) < _REMEMBERED and is_head(text):
            before.setdefault(texts.plain(text), texts.plain(texts.tail(list(last), _BEFORE)))
        if len(last) == _REMEMBERED and len(heads) < _HEADS and is_head(last[0]):
            heads.append(last[0])
        emit(Output(suite.target, text))
        if not _LIBRARY.match(text):
            last.append(text)
        elif last and _FUNCTION.match(last[-1]):
            last.pop()

    def result(verdict: Verdict) -> TargetResult:
        return TargetResult(
            suite.target,
            verdict.outcome,
            reason=verdict.reason,
            counts=tally.counts,
            failures=tuple(tally.failures),
            slowest=tally.slowest,
            slow=tally.slow,
            selects=suite.selects,
            seconds=time.monotonic() - began,
            exit_code=verdict.exit_code,
        )

    start = launch or Here(suite.cwd)
    with start.shared() as shared:
        report = shared / "junit.xml"
        argv = tuple(part.replace(_REPORT, str(report)) for part in suite.argv)
        own = {name: value.replace(_REPORT, str(report)) for name, value in suite.env.items()}
        merged = {name: value for name, value in {**env, **own}.items() if name not in suite.unset}
        typed = " ".join(suite.argv)
        for folder in (f"{suite.cwd}/", re.escape(f"{suite.cwd}/")):
            typed = typed.replace(folder, "")
        name = texts.shorten(visible(mask(typed or f"the command of {suite.inside}")))
        reports = argv != suite.argv or own != suite.env
        if not reports:
            tally.collected(1)
            tally.started(name)

        def tick() -> None:
            now = time.monotonic()
            if patience.too_long(now) or patience.too_silent(now):
                raise process.TimedOut(argv, suite.timeout or suite.silence)

        try:
            call = start.call(argv, merged, shared)
            code = call.stream(line, cancel, on_tick=tick)
        except process.TimedOut as error:
            after = f"{error.seconds:g} s{', its time limit' if suite.timeout else ' of silence'}"
            after += _lingering(last)
            add = _report(report, suite, tally, before) if reports else tally.finished
            add(
                TestResult(
                    name,
                    TestOutcome.ERROR,
                    call=time.monotonic() - began,
                    message=f"ended after {after}",
                    output=texts.plain(texts.tail([*heads, *last], _REMEMBERED + _HEADS)),
                    whole=True,
                )
            )
            return result(Verdict(Outcome.ERROR, f"ended after {after}", 1))
        except Interrupted as error:
            if reports:
                _report(report, suite, tally, before)
            reason = f"{error}: {flat(name, _NAME)} {RAN}{_so_far(tuple(before), last)}"
            return result(Verdict(Outcome.INTERRUPTED, reason, error.exit_code))
        except process.CommandError as error:
            return result(Verdict(Outcome.ERROR, error.what, error.exit_code))
        detail = texts.plain(texts.tail([*heads, *last], _REMEMBERED + _HEADS))
        if reports:
            return result(_by_report(report, code, tally, suite, detail, before))
        outcome = TestOutcome.PASSED if code == 0 else TestOutcome.FAILED
        message = "" if code == 0 else how_it_ended(code)
        seconds = time.monotonic() - began
        tally.finished(
            TestResult(
                name, outcome, call=seconds, message=message, output=detail if code else "", whole=True
            )
        )
        return result(Verdict(Outcome.FAILED if code else Outcome.PASSED))


def _by_report(
    report: Path,
    code: int,
    tally: Tally,
    suite: Suite,
    detail: str,
    before: Mapping[str, str],
) -> Verdict:
    ended = how_it_ended(code)
    said = f": {texts.complaint(detail.splitlines())}" if detail else ""
    try:
        _tell(read_junit(report), suite, tally, before)
    except ValueError as error:
        what = f"its JUnit report cannot be read ({error})" if report.exists() else "it wrote no JUnit report"
        return Verdict(Outcome.ERROR, f"{what}; the command ended with {ended}{said}", 1 if code else 2)
    return reconcile(tally.counts, code, f"{ended}{said}", suite.paths)


def _lingering(last: Sequence[str]) -> str:
    """Why a command may not have ended although its tests had, as its last words say."""
    done = any(_DONE.match(texts.plain(line)) for line in list(last)[-_SUMMARY:])
    return (
        "; its tests were done: what they opened (a server, a timer) keeps it from its exit" if done else ""
    )


def _so_far(failed: Sequence[str], last: Sequence[str]) -> str:
    """What a command that was stopped had said: which tests failed, and its last words."""
    words = [line for line in map(texts.plain, last) if any(c.isalnum() for c in line)][-1:]
    told = f"; failed so far: {several([flat(line, _NAME) for line in failed], join='; ')}" if failed else ""
    return told + "".join(f"; it last printed: {flat(line, _NAME)}" for line in words if line not in failed)


def _report(
    report: Path, suite: Suite, tally: Tally, before: Mapping[str, str]
) -> Callable[[TestResult], None]:
    """Tell what a command that was ended has reported by then; returns what adds a result to that."""
    with contextlib.suppress(ValueError):
        _tell(read_junit(report), suite, tally, before)
    return tally.added


def _tell(results: Sequence[TestResult], suite: Suite, tally: Tally, before: Mapping[str, str]) -> None:
    tally.collected(sum(found.outcome is not TestOutcome.RERUN for found in results))
    for found in results:
        tally.finished(placed(_with_words(found, before), suite))


def _with_words(found: TestResult, before: Mapping[str, str]) -> TestResult:
    """With what was printed before the line that names it, where the report has no word of why it failed."""
    if not says_nothing(found):
        return found
    name = found.id.rpartition("::")[2]
    printed = next((text for head, text in before.items() if name in head), "")
    own = printed.splitlines()
    ends = [at for at, row in enumerate(own, 1) if VERDICT.match(row)]
    own = own[ends[-1] if ends else 0 :]
    said = next((row.strip() for row in own if texts.RAISED.match(row.strip())), "")
    return replace(found, message=said or found.message, detail="\n".join(own) or found.detail)


def reconcile(counts: Counts, code: int, ended: str, paths: tuple[str, ...]) -> Verdict:
    """PURE: the verdict on a report with ``counts`` and the exit code that came with it."""
    if counts.failed or counts.errors:
        return Verdict(Outcome.FAILED)
    if code:
        return Verdict(Outcome.ERROR, f"no test failed, but the command ended with {ended}", 1)
    if not counts.total:
        return Verdict(Outcome.ERROR, f"no tests found in {', '.join(paths[:3]) or 'its report'}", 2)
    return Verdict(Outcome.PASSED)

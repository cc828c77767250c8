"""Runs a vitest suite: a reporter of ours tells what happens, vitest's JSON report has the last word."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tasklib.events import Event
from tasklib.pipeline.runners import texts, wire
from tasklib.pipeline.runners.session import Session
from tasklib.pipeline.runners.supervision import supervise
from tasklib.pipeline.suites.suite import Suite
from tasklib.process import Cancel, scratch_folder
from tasklib.results import TargetResult, TestOutcome

__all__ = ["missing", "run_vitest"]

_DIED = re.compile(r"Worker (\w+ emitted error|exited unexpectedly|terminated)|Channel closed")
"""What vitest says of a process of its own that is gone."""

REPORTER = Path(__file__).with_name("vitest_reporter.mjs")


class Assertion(msgspec.Struct, frozen=True, rename="camel"):
    """One test of a JSON report; ``duration`` in milliseconds."""

    ancestor_titles: tuple[str, ...]
    title: str
    status: str
    duration: float | None = None
    failure_messages: tuple[str, ...] | None = None


class TestFile(msgspec.Struct, frozen=True, rename="camel"):
    """One file of a JSON report; ``message`` is why it could not be run, if it could not."""

    __test__ = False

    name: str
    status: str
    assertion_results: tuple[Assertion, ...]
    message: str = ""


class Report(msgspec.Struct, frozen=True, rename="camel"):
    test_results: tuple[TestFile, ...]


def run_vitest(
    suite: Suite, env: Mapping[str, str], emit: Callable[[Event], None], cancel: Cancel
) -> TargetResult:
    """Run ``suite`` with the whole environment ``env``; see :func:`tasklib.pipeline.runners.run_suite`."""
    session = _Session(suite, emit)
    with scratch_folder() as scratch:
        report = scratch / "report.json"
        # Ours comes first: what another one throws must not keep it from hearing of the end.
        reporters = (f"--reporter={REPORTER}", "--reporter=json", "--reporter=default")
        argv = (*suite.argv, *reporters, f"--outputFile.json={report}")
        return supervise(session, argv, {**env, **suite.env}, cancel, lambda: session.reconcile(report))


class _Session(Session):
    """A session that remembers which tests it was told of, to compare them with the report."""

    def __init__(self, suite: Suite, emit: Callable[[Event], None]) -> None:
        super().__init__(suite, emit)
        self._told: Counter[str] = Counter()
        self._died = False
        self._root_folder = str(suite.cwd)

    def take(self, message: wire.Message) -> None:
        match message:
            case wire.Hello():
                self._root_folder = message.root
            case wire.Left() | wire.Broken():
                # Nothing tells which process it was.
                self._died |= isinstance(message, wire.Broken) and bool(_DIED.search(message.message))
                self._told[_without_project(message.id)] += 1
            case wire.Finish() if message.outcome != TestOutcome.RERUN:
                self._told[_without_project(message.id)] += 1
        super().take(message)

    def reconcile(self, report: Path) -> None:
        """Add what the report has and nobody told us."""
        try:
            found = msgspec.json.decode(report.read_bytes(), type=Report)
        except (OSError, msgspec.MsgspecError):
            return  # vitest died before it wrote one; that there was no end says so already.
        for message in missing(found, self._root_folder, self._told, died=self._died):
            super().take(message)


def missing(
    report: Report, root: str, told: Mapping[str, int], *, died: bool = False
) -> list[wire.Finish | wire.Broken]:
    """The tests and broken files of ``report`` that are not in ``told`` (how often each id was heard of).

    Where a process of vitest's ``died``, those that it calls pending died with it.
    A test's id is its file (relative to ``root``), its suites and its title, joined by `` > ``; the report
    does not tell the projects.
    """
    left = Counter(told)
    found: list[wire.Finish | wire.Broken] = []
    for file in report.test_results:
        name = os.path.relpath(file.name, root)
        if file.status == "failed" and not file.assertion_results and not left[name]:
            found.append(wire.Broken(name, "collection", file.message, file.message))
        for test in file.assertion_results:
            key = " > ".join((name, *test.ancestor_titles, test.title))
            left[_without_project(key)] -= 1
            if left[_without_project(key)] < 0:
                found.append(_finish(key, name, test, died=died))
    return found


def _without_project(test_id: str) -> str:
    """The id without the project of vitest that the reporter writes behind it."""
    return re.sub(r" \|[^|]+\|$", "", test_id)


def _finish(key: str, file: str, test: Assertion, *, died: bool) -> wire.Finish:
    said = "\n".join(test.failure_messages or ())
    if died and test.status == "pending":
        lost = wire.Failure("call", "a process of vitest died before this test ended", "")
        return wire.Finish(key, "error", (0.0, 0.0, 0.0), file=file, failures=(lost,))
    failures = (wire.Failure("call", said.split("\n    at ")[0], texts.plain(said)),) if said else ()
    outcome = test.status if test.status in ("passed", "failed") else "skipped"
    seconds = (0.0, (test.duration or 0.0) / 1000, 0.0)
    return wire.Finish(key, outcome, seconds, file=file, failures=failures if outcome == "failed" else ())

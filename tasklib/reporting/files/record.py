"""A whole run as one value, collected from its events: what report files are written from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from tasklib.events import (
    Event,
    Notice,
    PhaseFinished,
    PhaseStarted,
    Progress,
    RunFinished,
    RunStarted,
    TargetFinished,
    TargetStarted,
    TestFinished,
)
from tasklib.reporting.words.failures import Moment, failed
from tasklib.results import Outcome, Phase, RunResult, Stage, Target, TargetResult, TestOutcome, TestResult

__all__ = ["Activity", "Recorder", "RunRecord", "Span", "TargetRecord", "TimedTest"]


class Activity(StrEnum):
    """What a target does in a span of time: a phase, or waiting for its turn between two of them."""

    BUILD = "build"
    START = "start"
    TEST = "test"
    CLEAN = "clean"
    WAIT = "wait"


@dataclass(frozen=True)
class Span:
    """What a target did from ``start`` to ``end`` (seconds since the epoch); ``notes`` are its progress."""

    target: Target
    activity: Activity
    start: float
    end: float
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class TimedTest:
    """A test and when it ended, in seconds since the epoch. What a passed test printed is not kept."""

    result: TestResult
    end: float
    worker: str = ""


@dataclass(frozen=True)
class TargetRecord:
    """All that is known of a target: its tests in the order they ended, its spans in order of time."""

    target: Target
    result: TargetResult
    folder: str = ""
    tests: tuple[TimedTest, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def moments(self) -> tuple[Moment, ...]:
        """When its failing tests ran."""
        return tuple(
            Moment(test.end - test.result.seconds, test.end) for test in self.tests if failed(test.result)
        )


@dataclass(frozen=True)
class RunRecord:
    """A finished run; times are seconds since the epoch."""

    project: str
    instance: str
    started: float
    finished: float
    result: RunResult
    targets: tuple[TargetRecord, ...] = ()
    notices: tuple[Notice, ...] = ()

    def stage(self, stage: Stage) -> tuple[TargetRecord, ...]:
        return tuple(record for record in self.targets if record.target.stage is stage)


@dataclass
class _Open:
    """A target while it runs."""

    folder: str = ""
    phase: Phase | None = None
    since: float = 0.0
    notes: list[str] = field(default_factory=list)
    tests: list[TimedTest] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    result: TargetResult | None = None


class Recorder:
    """Collects events; :meth:`record` is the run so far."""

    def __init__(self) -> None:
        self._started: RunStarted | None = None
        self._finished: RunFinished | None = None
        self._last = 0.0
        self._targets: dict[Target, _Open] = {}
        self._notices: list[Notice] = []

    def emit(self, event: Event) -> None:
        self._last = max(self._last, event.at)
        match event:
            case RunStarted():
                self._started = event
                folders = dict(zip(event.targets, event.folders, strict=False))
                self._targets = {target: _Open(folders.get(target, "")) for target in event.targets}
            case TargetStarted():
                # Images may have been built before the target's own turn.
                target = self._of(event.target)
                target.since = target.since or event.at
            case PhaseStarted():
                self._begin(self._of(event.target), event)
            case PhaseFinished():
                self._end(event.target, event.at)
            case Progress() if event.text:
                notes = self._of(event.target).notes
                if event.text not in notes[-1:]:
                    notes.append(event.text)
            case TestFinished():
                result = event.result
                if result.outcome is TestOutcome.PASSED:
                    result = replace(result, output="", detail="")
                self._of(event.target).tests.append(TimedTest(result, event.at, event.worker))
            case Notice():
                self._notices.append(event)
            case TargetFinished():
                target = self._of(event.result.target)
                if target.phase is not None:
                    self._end(event.result.target, event.at)
                target.result = event.result
            case RunFinished():
                self._finished = event
            case _:
                pass

    def _of(self, target: Target) -> _Open:
        return self._targets.setdefault(target, _Open())

    def _begin(self, target: _Open, event: PhaseStarted) -> None:
        if target.since and event.at > target.since and target.phase is None:
            # What it was at while it waited says what it waited for.
            notes = tuple(target.notes)
            target.spans.append(Span(event.target, Activity.WAIT, target.since, event.at, notes))
        target.phase = event.phase
        target.since = event.at
        target.notes = []

    def _end(self, name: Target, at: float) -> None:
        target = self._of(name)
        if target.phase is not None:
            activity = Activity(target.phase)
            target.spans.append(Span(name, activity, target.since, at, tuple(target.notes)))
        target.phase = None
        target.since = at
        target.notes = []

    def record(self) -> RunRecord:
        """The run; targets without a result (a run that broke off) count as interrupted."""
        started = self._started or RunStarted("", "", (), at=self._last)
        results = {found.target: found for found in self._finished.result.targets} if self._finished else {}
        targets = tuple(
            TargetRecord(
                name,
                results.get(name) or target.result or TargetResult(name, Outcome.INTERRUPTED),
                target.folder,
                tuple(target.tests),
                tuple(target.spans),
            )
            for name, target in self._targets.items()
        )
        result = (
            self._finished.result
            if self._finished
            else RunResult(
                tuple(target.result for target in targets), self._last - started.at, interrupted=True
            )
        )
        return RunRecord(
            started.project,
            started.instance,
            started.at,
            self._finished.at if self._finished else self._last,
            result,
            targets,
            tuple(self._notices),
        )

"""PURE: a whole run as one value, its tests by target: what report files are written from."""

from __future__ import annotations

from collections import defaultdict

from msgspec import Struct

from tasklib.events import Notice
from tasklib.reporting.folds.run import RunState
from tasklib.reporting.folds.spans import Span
from tasklib.reporting.words.failures import Moment, failed
from tasklib.results import Outcome, RunResult, Stage, Target, TargetResult, TestResult

__all__ = ["RunRecord", "TargetRecord", "TimedTest", "record"]


class TimedTest(Struct, frozen=True):
    """A test and when it ended, in seconds since the epoch."""

    result: TestResult
    end: float
    worker: str = ""


class TargetRecord(Struct, frozen=True):
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


class RunRecord(Struct, frozen=True):
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


def record(run: RunState) -> RunRecord:
    """The run as it is now; targets without a result (a run that broke off) count as interrupted."""
    started = run.latest if run.started is None else run.started
    results = {result.target: result for result in run.result.targets} if run.result else {}
    tests: defaultdict[Target, list[TimedTest]] = defaultdict(list)
    for test in run.tests:
        tests[test.target].append(TimedTest(test.result, test.at, test.worker))
    targets = tuple(
        TargetRecord(
            target,
            results.get(target) or state.result or TargetResult(target, Outcome.INTERRUPTED),
            state.folder,
            tuple(tests[target]),
            state.course.spans,
        )
        for target, state in run.targets.items()
    )
    result = run.result or RunResult(
        tuple(target.result for target in targets), run.latest - started, interrupted=True
    )
    finished = run.latest if run.finished is None else run.finished
    return RunRecord(run.project, run.instance, started, finished, result, targets, tuple(run.notices))

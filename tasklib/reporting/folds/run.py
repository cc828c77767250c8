"""PURE: the run so far, as a value: every event turns one :class:`RunState` into the next."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.events import (
    Event,
    Notice,
    Output,
    PhaseFinished,
    PhaseStarted,
    Progress,
    RunFinished,
    RunStarted,
    TargetFinished,
    TargetRestarted,
    TargetStarted,
    TestFinished,
    TestsCollected,
    TestStarted,
)
from tasklib.reporting.folds.growing import Growing
from tasklib.reporting.folds.spans import Course
from tasklib.reporting.words.failures import Moment, failed
from tasklib.results import Counts, Phase, RunResult, Stage, Target, TargetResult, TestOutcome

__all__ = ["CurrentTest", "RunState", "TargetState", "advance", "count", "stage_seconds"]

_TargetEvent = (
    TargetStarted
    | PhaseStarted
    | PhaseFinished
    | Progress
    | TestsCollected
    | TestStarted
    | TestFinished
    | TargetFinished
)

_FIELDS = {
    TestOutcome.PASSED: "passed",
    TestOutcome.FAILED: "failed",
    TestOutcome.ERROR: "errors",
    TestOutcome.SKIPPED: "skipped",
    TestOutcome.XFAILED: "xfailed",
    TestOutcome.XPASSED: "xpassed",
    TestOutcome.RERUN: "rerun",
}


class CurrentTest(Struct, frozen=True):
    """A test that runs now, since ``since`` (seconds since the epoch)."""

    id: str
    since: float


class TargetState(Struct, frozen=True):
    """One target as of now.

    ``course`` is what it did when, ``started`` when it first did anything, ``progress`` what its phase is at,
    ``current`` the running tests by worker, ``result`` what became of it once it ended.
    """

    target: Target
    course: Course
    folder: str = ""
    started: float | None = None
    finished: float | None = None
    progress: str = ""
    counts: Counts = field(default_factory=Counts)
    current: Mapping[str, CurrentTest] = field(default_factory=lambda: MappingProxyType({}))
    result: TargetResult | None = None

    @property
    def phase(self) -> Phase | None:
        """What runs; of a target that has ended, its clean-up alone."""
        phase = self.course.phase
        return phase if self.result is None or phase is Phase.CLEAN else None

    @property
    def last_phase(self) -> Phase | None:
        """What ran before."""
        return next(reversed(self.course.phases), None)

    def spent(self, phase: Phase) -> float:
        """The seconds of a phase: as its result has them, else as they were seen."""
        known = self.result.phases.get(phase, 0.0) if self.result else 0.0
        return max(known, self.course.phases.get(phase, 0.0))

    @property
    def active(self) -> bool:
        return self.started is not None and (self.result is None or self.phase is not None)

    def seconds(self, now: float) -> float:
        """How long it has worked, or did work; waiting for its turn between two phases does not count."""
        if self.result is not None:
            return self.result.seconds
        open_phase = max(0.0, now - self.course.since) if self.phase else 0.0
        return sum(self.course.phases.values()) + open_phase


class RunState(Struct, frozen=True):
    """The whole run as of now; ``targets`` in the order they were planned, ``tests`` in that of their ends.

    ``latest`` is the time of the latest event. What a passed test printed is not kept.
    """

    project: str = ""
    instance: str = ""
    started: float | None = None
    latest: float = 0.0
    targets: MappingProxyType[Target, TargetState] = field(default_factory=lambda: MappingProxyType({}))
    tests: Growing[TestFinished] = field(default_factory=Growing)
    notices: Growing[Notice] = field(default_factory=Growing)
    finished: float | None = None
    result: RunResult | None = None

    def stage(self, stage: Stage) -> tuple[TargetState, ...]:
        return tuple(state for target, state in self.targets.items() if target.stage is stage)

    def folder(self, target: Target) -> str:
        """The target's folder, absolute, or empty where the plan named none."""
        state = self.targets.get(target)
        return state.folder if state else ""

    def moments(self, target: Target) -> list[Moment]:
        """When the target's failing tests ran."""
        return [
            Moment(test.at - test.result.seconds, test.at)
            for test in self.tests
            if failed(test.result) and test.target == target
        ]


def stage_seconds(run: RunState, stage: Stage) -> float | None:
    """What the stage added to the run: from the end of those before it, or its own begin if that was later.

    Its builds may have begun long before. ``None`` if nothing of it ran or it has not ended.
    """
    stages = list(Stage)
    before = [
        state.finished
        for earlier in stages[: stages.index(stage)]
        for state in run.stage(earlier)
        if state.finished is not None and state.started is not None
    ]
    ran = [state for state in run.stage(stage) if state.started is not None]
    ends = [state.finished for state in ran if state.finished is not None]
    begins = [state.started for state in ran if state.started is not None]
    if not ran or len(ends) < len(ran):
        return None
    return max(0.0, max(ends) - max([min(begins), *before]))


def count(counts: Counts, outcome: TestOutcome) -> Counts:
    """``counts`` with one more test that ended this way; the total grows with what runs beyond it."""
    name = _FIELDS[outcome]
    more: Mapping[str, int] = {name: getattr(counts, name) + 1}
    counted = replace(counts, **more)
    return replace(counted, total=counted.done) if counted.done > counted.total else counted


def advance(run: RunState, event: Event) -> RunState:
    """The run after ``event``."""
    latest = max(run.latest, event.at)
    match event:
        case RunStarted():
            folders = dict(zip(event.targets, event.folders, strict=False))
            states = {target: _new(target, folders.get(target, "")) for target in event.targets}
            return replace(
                run,
                project=event.project,
                instance=event.instance,
                started=event.at,
                latest=latest,
                targets=MappingProxyType(states),
            )
        case RunFinished():
            return replace(run, latest=latest, finished=event.at, result=event.result)
        case Notice():
            return replace(run, latest=latest, notices=run.notices.plus(event))
        case TargetRestarted():
            left = Growing([test for test in run.tests if test.target != event.target])
            old = run.targets.get(event.target) or _new(event.target)
            new = replace(old, progress="", counts=Counts(), current=MappingProxyType({}), result=None)
            targets = MappingProxyType({**run.targets, event.target: new})
            return replace(run, latest=latest, tests=left, targets=targets)
        case TestFinished():
            tests = run.tests.plus(_lean(event))
            return replace(run, latest=latest, tests=tests, targets=_after(run, event.target, event))
        case TargetFinished():
            return replace(run, latest=latest, targets=_after(run, event.result.target, event))
        case (
            TargetStarted() | PhaseStarted() | PhaseFinished() | Progress() | TestsCollected() | TestStarted()
        ):
            return replace(run, latest=latest, targets=_after(run, event.target, event))
        case Output():
            return replace(run, latest=latest)


def _lean(event: TestFinished) -> TestFinished:
    result = event.result
    if result.outcome is not TestOutcome.PASSED or not (result.output or result.detail):
        return event
    return replace(event, result=replace(result, output="", detail=""))


def _after(run: RunState, target: Target, event: _TargetEvent) -> MappingProxyType[Target, TargetState]:
    """The targets after what happened to one of them; the same object where nothing has changed."""
    old = run.targets.get(target)
    new = old or _new(target)
    if not isinstance(event, (TestsCollected, TestStarted, TestFinished)):
        course = new.course.after(event)
        new = new if course is new.course else replace(new, course=course)
    # What comes after the result changes it no more.
    if new.result is None or isinstance(event, TargetFinished) or _cleaning(new, event):
        new = _advance(new, event)
    if new is old:
        return run.targets
    targets = run.targets.copy()  # Which hashes no key anew: this happens for every test.
    targets[target] = new
    return MappingProxyType(targets)


def _new(target: Target, folder: str = "") -> TargetState:
    return TargetState(target, Course(target), folder)


def _cleaning(state: TargetState, event: _TargetEvent) -> bool:
    """Whether the event is of a clean-up, which goes on after the target's result is known."""
    match event:
        case PhaseStarted() | PhaseFinished():
            return event.phase is Phase.CLEAN
        case Progress():
            return state.phase is Phase.CLEAN
        case _:
            return False


def _advance(state: TargetState, event: _TargetEvent) -> TargetState:
    match event:
        case TargetFinished():
            return replace(
                state,
                finished=event.at,
                progress="",
                counts=event.result.counts,
                current=MappingProxyType({}),
                result=event.result,
            )
        case TargetStarted():
            return state if state.started is not None else replace(state, started=event.at)
        case PhaseStarted():
            return replace(state, started=event.at if state.started is None else state.started, progress="")
        case PhaseFinished():
            return replace(state, progress="", current=MappingProxyType({}))
        case Progress():
            return replace(state, progress=event.text)
        case TestsCollected():
            return replace(state, counts=replace(state.counts, total=event.total))
        case TestStarted():
            running = {**state.current, event.worker: CurrentTest(event.id, event.at)}
            return replace(state, current=MappingProxyType(running))
        case TestFinished():
            left = {worker: test for worker, test in state.current.items() if worker != event.worker}
            counted = count(state.counts, event.result.outcome)
            return replace(state, counts=counted, current=MappingProxyType(left))

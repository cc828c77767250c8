"""What is going on, as a value: every event turns one :class:`Board` into the next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tasklib.events import (
    Event,
    PhaseFinished,
    PhaseStarted,
    Progress,
    RunFinished,
    RunStarted,
    TargetFinished,
    TargetStarted,
    TestFinished,
    TestsCollected,
    TestStarted,
)
from tasklib.results import Counts, Phase, RunResult, Stage, Target, TargetResult, TestOutcome

__all__ = ["Board", "CurrentTest", "TargetState", "advance", "count", "stage_seconds"]

_FIELDS = {
    TestOutcome.PASSED: "passed",
    TestOutcome.FAILED: "failed",
    TestOutcome.ERROR: "errors",
    TestOutcome.SKIPPED: "skipped",
    TestOutcome.XFAILED: "xfailed",
    TestOutcome.XPASSED: "xpassed",
    TestOutcome.RERUN: "rerun",
}


@dataclass(frozen=True)
class CurrentTest:
    """A test that runs now, since ``since`` (seconds since the epoch)."""

    id: str
    since: float


@dataclass(frozen=True)
class TargetState:
    """One target as of now.

    ``started`` is when it first did anything, ``phase`` what runs (``None``: nothing), ``last_phase`` what
    ran before, ``phases`` the seconds of those that ended, ``progress`` what the phase is at, ``current`` the
    running tests by worker, ``result`` what became of it once it ended.
    """

    target: Target
    folder: str = ""
    started: float | None = None
    finished: float | None = None
    phase: Phase | None = None
    last_phase: Phase | None = None
    phase_started: float = 0.0
    phases: Mapping[Phase, float] = field(default_factory=lambda: MappingProxyType({}))
    progress: str = ""
    counts: Counts = field(default_factory=Counts)
    current: Mapping[str, CurrentTest] = field(default_factory=lambda: MappingProxyType({}))
    result: TargetResult | None = None

    def spent(self, phase: Phase) -> float:
        """The seconds of a phase: as its result has them, else as they were seen."""
        known = self.result.phases.get(phase, 0.0) if self.result else 0.0
        return max(known, self.phases.get(phase, 0.0))

    @property
    def active(self) -> bool:
        return self.started is not None and (self.result is None or self.phase is not None)

    def seconds(self, now: float) -> float:
        """How long it has worked, or did work; waiting for its turn between two phases does not count."""
        if self.result is not None:
            return self.result.seconds
        return sum(self.phases.values()) + (max(0.0, now - self.phase_started) if self.phase else 0.0)


@dataclass(frozen=True)
class Board:
    """The whole run as of now; ``targets`` in the order they were planned."""

    project: str = ""
    instance: str = ""
    started: float = 0.0
    targets: Mapping[Target, TargetState] = field(default_factory=lambda: MappingProxyType({}))
    result: RunResult | None = None

    def stage(self, stage: Stage) -> tuple[TargetState, ...]:
        return tuple(state for target, state in self.targets.items() if target.stage is stage)


def stage_seconds(board: Board, stage: Stage) -> float | None:
    """What the stage added to the run: from the end of those before it, or its own begin if that was later.

    Its builds may have begun long before. ``None`` if nothing of it ran or it has not ended.
    """
    stages = list(Stage)
    before = [
        state.finished
        for earlier in stages[: stages.index(stage)]
        for state in board.stage(earlier)
        if state.finished is not None and state.started is not None
    ]
    ran = [state for state in board.stage(stage) if state.started is not None]
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


def advance(board: Board, event: Event) -> Board:
    """The board after ``event``; the same object where nothing that it shows has changed."""
    match event:
        case RunStarted():
            folders = dict(zip(event.targets, event.folders, strict=False))
            states = {target: TargetState(target, folders.get(target, "")) for target in event.targets}
            return Board(event.project, event.instance, event.at, MappingProxyType(states))
        case RunFinished():
            return replace(board, result=event.result)
        case TargetFinished():
            state = _state(board, event.result.target)
            return _with(
                board,
                replace(
                    state,
                    finished=event.at,
                    phase=None,
                    progress="",
                    counts=event.result.counts,
                    current=MappingProxyType({}),
                    result=event.result,
                ),
            )
        case (
            TargetStarted()
            | PhaseStarted()
            | PhaseFinished()
            | Progress()
            | TestsCollected()
            | TestStarted()
            | TestFinished()
        ):
            state = _state(board, event.target)
            if state.result is not None and not _cleaning(state, event):
                return board
            return _with(board, _advance(state, event))
        case _:
            return board


def _cleaning(state: TargetState, event: Event) -> bool:
    """Whether the event is of a clean-up, which goes on after the target's result is known."""
    match event:
        case PhaseStarted() | PhaseFinished():
            return event.phase is Phase.CLEAN
        case Progress():
            return state.phase is Phase.CLEAN
        case _:
            return False


def _advance(
    state: TargetState,
    event: TargetStarted
    | PhaseStarted
    | PhaseFinished
    | Progress
    | TestsCollected
    | TestStarted
    | TestFinished,
) -> TargetState:
    match event:
        case TargetStarted():
            return state if state.started is not None else replace(state, started=event.at)
        case PhaseStarted():
            started = event.at if state.started is None else state.started
            return replace(state, started=started, phase=event.phase, phase_started=event.at, progress="")
        case PhaseFinished():
            length = max(0.0, event.at - state.phase_started) if state.phase is event.phase else 0.0
            phases = {**state.phases, event.phase: state.phases.get(event.phase, 0.0) + length}
            return replace(
                state,
                phases=MappingProxyType(phases),
                phase=None,
                last_phase=event.phase,
                progress="",
                current=MappingProxyType({}),
            )
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


def _state(board: Board, target: Target) -> TargetState:
    return board.targets.get(target) or TargetState(target)


def _with(board: Board, state: TargetState) -> Board:
    if board.targets.get(state.target) == state:
        return board
    return replace(board, targets=MappingProxyType({**board.targets, state.target: state}))

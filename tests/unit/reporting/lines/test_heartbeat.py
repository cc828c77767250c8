"""A line now and then while nothing else is printed."""

from __future__ import annotations

from tasklib.events import (
    Event,
    PhaseFinished,
    PhaseStarted,
    Progress,
    RunStarted,
    TargetFinished,
    TestFinished,
    TestsCollected,
    TestStarted,
)
from tasklib.reporting.folds.folding import Folding
from tasklib.reporting.folds.run import RunState
from tasklib.reporting.lines.heartbeat import FIRST, LONGEST, Heartbeat
from tasklib.results import Outcome, Phase, Stage, Target, TargetResult, TestOutcome, TestResult

API = Target(Stage.UNIT, "api")


class Nothing:
    def tell(self, event: Event, run: RunState) -> None:
        """Prints nothing."""


def test_silence_is_broken_with_what_runs() -> None:
    """How far each target is, at which test, less often the longer it takes; not once it has ended."""
    now = 0.0
    last = 0.0
    said: list[str] = []

    def say(text: str) -> None:
        nonlocal last
        last = now
        said.append(text)

    heartbeat = Heartbeat(Nothing(), say, lambda: last, lambda: now)
    beating = Folding(heartbeat)
    for event in (
        RunStarted("shop", "main", (API,)),
        PhaseStarted(API, Phase.TEST),
        TestsCollected(API, 500),
        TestStarted(API, "t.py::test_a"),
        TestFinished(API, TestResult("t.py::test_a", TestOutcome.PASSED)),
        TestStarted(API, "t.py::test_b"),
    ):
        beating.emit(event)
    heartbeat.beat()
    assert said == []
    now = FIRST
    assert heartbeat.beat() == 2 * FIRST
    assert said == ["still running after 1m 00s: unit api (1 of 500 tests, at t.py::test_b)"]
    now += FIRST
    heartbeat.beat()
    assert len(said) == 1
    for _ in range(5):
        now += LONGEST
        assert heartbeat.beat() <= LONGEST
    assert len(said) == 6
    beating.emit(Progress(API, "tests done 5 s ago, waiting for the process to exit"))
    now += LONGEST
    heartbeat.beat()
    assert said[-1].endswith("unit api (tests done 5 s ago, waiting for the process to exit)")
    beating.emit(TargetFinished(TargetResult(API, Outcome.PASSED)))
    now += LONGEST
    heartbeat.beat()
    assert "unit api" not in said[-1]


def test_what_has_been_cleaned_up_is_named_no_more() -> None:
    """A stack that is being removed is named after its target has ended; once it is gone, it is not."""
    now = 0.0
    said: list[str] = []
    heartbeat = Heartbeat(Nothing(), said.append, lambda: 0.0, lambda: now)
    beating = Folding(heartbeat)
    for event in (
        RunStarted("shop", "main", (API,)),
        PhaseStarted(API, Phase.TEST),
        TargetFinished(TargetResult(API, Outcome.PASSED)),
        PhaseStarted(API, Phase.CLEAN),
    ):
        beating.emit(event)
    now = LONGEST
    heartbeat.beat()
    assert "unit api (clean)" in said[-1]
    beating.emit(PhaseFinished(API, Phase.CLEAN))
    now += LONGEST
    heartbeat.beat()
    assert "unit api" not in said[-1]

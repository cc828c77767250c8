"""A line now and then while nothing else is printed."""

from __future__ import annotations

from tasklib.events import (
    Event,
    PhaseStarted,
    RunStarted,
    TargetFinished,
    TestFinished,
    TestsCollected,
    TestStarted,
)
from tasklib.reporting.lines.heartbeat import FIRST, LONGEST, Heartbeat
from tasklib.results import Outcome, Phase, Stage, Target, TargetResult, TestOutcome, TestResult

API = Target(Stage.UNIT, "api")


class Nothing:
    def emit(self, event: Event) -> None:
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

    beating = Heartbeat(Nothing(), say, lambda: last, lambda: now)
    for event in (
        RunStarted("shop", "main", (API,)),
        PhaseStarted(API, Phase.TEST),
        TestsCollected(API, 500),
        TestStarted(API, "t.py::test_a"),
        TestFinished(API, TestResult("t.py::test_a", TestOutcome.PASSED)),
        TestStarted(API, "t.py::test_b"),
    ):
        beating.emit(event)
    beating.beat()
    assert said == []
    now = FIRST
    assert beating.beat() == 2 * FIRST
    assert said == ["still running after 1m 00s: unit api (1 of 500 tests, at t.py::test_b)"]
    now += FIRST
    beating.beat()
    assert len(said) == 1
    for _ in range(5):
        now += LONGEST
        assert beating.beat() <= LONGEST
    assert len(said) == 6
    beating.emit(TargetFinished(TargetResult(API, Outcome.PASSED)))
    now += LONGEST
    beating.beat()
    assert "unit api" not in said[-1]

"""Counting in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tasklib.events import Event, TestFinished, TestsCollected
from tasklib.pipeline.runners.tally import DETAILED, SLOWEST, Tally
from tasklib.results import Counts, Stage, Target, TestOutcome, TestResult

TARGET = Target(Stage.UNIT, "api")


def tally() -> tuple[Tally, list[Event]]:
    events: list[Event] = []
    return Tally(TARGET, events.append), events


@given(st.lists(st.tuples(st.sampled_from(list(TestOutcome)), st.floats(0, 100)), max_size=100))
def test_counts_and_slowest_follow_the_results(results: Sequence[tuple[TestOutcome, float]]) -> None:
    """Each outcome is counted once, and the slowest are the slowest, longest first."""
    kept, events = tally()
    kept.collected(len(results))
    for number, (outcome, seconds) in enumerate(results):
        kept.finished(TestResult(f"t{number}", outcome, call=seconds))
    reruns = sum(outcome is TestOutcome.RERUN for outcome, _ in results)
    assert kept.counts.rerun == reruns
    assert kept.counts.done == len(results) - reruns
    assert [test.call for test in kept.slowest] == sorted((s for _, s in results), reverse=True)[:SLOWEST]
    assert sum(isinstance(event, TestFinished) for event in events) == len(results)


def test_a_flood_of_failures_keeps_its_messages_and_few_texts() -> None:
    """Thousands of failures stay listed; only the first ones keep pages of detail."""
    kept, _ = tally()
    for number in range(DETAILED + 50):
        kept.finished(
            TestResult(f"t{number}", TestOutcome.FAILED, message="m", detail="d" * 1000, output="o")
        )
    assert len(kept.failures) == DETAILED + 50
    assert sum(bool(failure.detail) for failure in kept.failures) == DETAILED
    assert all(failure.message == "m" for failure in kept.failures)
    assert not any(test.detail or test.output for test in kept.slowest)


def test_results_nobody_collected_raise_the_total() -> None:
    """A file that cannot be imported is one more than what was collected, whichever comes first."""
    kept, events = tally()
    kept.added(TestResult("broken.py", TestOutcome.ERROR))
    kept.collected(2)
    kept.finished(TestResult("a", TestOutcome.PASSED))
    assert kept.counts == Counts(total=3, passed=1, errors=1)
    assert [event.total for event in events if isinstance(event, TestsCollected)] == [1, 3]


def test_running_tests_are_known_by_worker_until_they_end() -> None:
    """A result ends its test, also when it does not say which worker it came from."""
    kept, _ = tally()
    kept.started("a", "gw0")
    kept.started("b", "gw1")
    kept.finished(TestResult("b", TestOutcome.FAILED))
    assert {worker: test for worker, (test, _) in kept.running.items()} == {"gw0": "a"}
    kept.finished(TestResult("a", TestOutcome.PASSED), "gw0")
    assert not kept.running

"""Events are folded once, whoever draws from them."""

from __future__ import annotations

import itertools

import pytest

from tasklib.events import Event, TestFinished
from tasklib.reporting.folds.folding import Folding
from tasklib.reporting.folds.run import RunState
from tasklib.reporting.folds.spans import Activity, Span
from tasklib.results import Phase, Target, TestOutcome

from .. import recordings


class Watching:
    def __init__(self) -> None:
        self.seen: list[tuple[Event, RunState]] = []

    def tell(self, event: Event, run: RunState) -> None:
        self.seen.append((event, run))


def test_every_reporter_is_told_of_the_same_run() -> None:
    """With each event comes the run after it: one object for all of them."""
    first, second = Watching(), Watching()
    sink = Folding(first, second)
    events = list(recordings.failing_service())
    for event in events:
        sink.emit(event)
    assert [event for event, _ in first.seen] == events
    assert all(one is other for (_, one), (_, other) in zip(first.seen, second.seen, strict=True))
    ended = [event for event in events if isinstance(event, TestFinished)]
    assert len(first.seen[-1][1].tests) == len(ended)
    # What an earlier event left is still as it was then.
    assert len(first.seen[0][1].tests) == 0


@pytest.mark.parametrize("events", [recordings.passing(), recordings.large(), recordings.interrupted()])
def test_what_a_target_did_has_no_gap(events: list[Event]) -> None:
    """Its spans follow each other without a hole or an overlap, and its phases' seconds are theirs."""
    watching = Watching()
    sink = Folding(watching)
    for event in events:
        sink.emit(event)
    run = watching.seen[-1][1]
    spans: dict[Target, tuple[Span, ...]] = {
        target: state.course.spans for target, state in run.targets.items()
    }
    assert any(spans.values())
    for target, found in spans.items():
        assert all(one.end == other.start for one, other in itertools.pairwise(found))
        for phase in Phase:
            whole = sum(span.seconds for span in found if span.activity == Activity(phase))
            assert run.targets[target].course.phases.get(phase, 0.0) == pytest.approx(whole)


def test_what_passed_tests_printed_is_not_kept() -> None:
    """A run of many tests is kept whole: what nobody reads of them would fill the memory."""
    watching = Watching()
    sink = Folding(watching)
    for event in recordings.failing_service():
        sink.emit(event)
    run = watching.seen[-1][1]
    for test in run.tests:
        passed = test.result.outcome is TestOutcome.PASSED
        assert not passed or (test.result.output, test.result.detail) == ("", "")
    assert any(test.result.detail for test in run.tests)

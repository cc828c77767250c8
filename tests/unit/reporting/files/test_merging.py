"""Several machines' shares of a run are one run again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tasklib.errors import UsageError
from tasklib.events import Event, RunFinished, RunStarted, TargetFinished, TestFinished, TestsCollected
from tasklib.reporting.files.merging import merged
from tasklib.reporting.files.record import record
from tasklib.reporting.folds.run import RunState, advance
from tasklib.results import NOTHING_LEFT, Outcome, RunResult, Stage, Target, TargetResult

from .. import recordings


def shares(events: Sequence[Event], of: int) -> dict[str, list[Event]]:
    """The run as ``of`` machines would have done it, a target after the other to each."""
    start = next(event for event in events if isinstance(event, RunStarted))
    end = next(event for event in events if isinstance(event, RunFinished))
    found = {}
    for number in range(of):
        mine = {target for n, target in enumerate(start.targets) if n % of == number}

        def whose(event: Event) -> Target | None:
            return (
                event.result.target if isinstance(event, TargetFinished) else getattr(event, "target", None)
            )

        middle = [event for event in events if whose(event) in mine]
        result = replace(end.result, targets=tuple(r for r in end.result.targets if r.target in mine))
        found[f"shard-{number + 1}.jsonl"] = [
            RunStarted(
                start.project,
                start.instance,
                tuple(t for t in start.targets if t in mine),
                (),
                f"{number + 1}/{of}",
                at=start.at,
            ),
            *middle,
            replace(end, result=result),
        ]
    return found


@pytest.mark.parametrize("name", ["passing", "failing_service"])
@pytest.mark.parametrize("of", [1, 2, 5])
def test_together_they_are_the_run(name: str, of: int) -> None:
    """The same targets, by stage and name, with the same tests, results and exit code."""
    events = list(getattr(recordings, name)())
    begun, finished = merged(shares(events, of))
    state, again = RunState(), RunState()
    for event in events:
        state = advance(state, event)
    for event in (*begun, finished):
        again = advance(again, event)
    one, other = record(state), record(again)
    ordered = sorted(one.targets, key=lambda t: (list(Stage).index(t.target.stage), t.target.service))
    assert [t.target for t in other.targets] == [t.target for t in ordered]
    assert [t.result for t in other.targets] == [t.result for t in ordered]
    assert [t.tests for t in other.targets] == [t.tests for t in ordered]
    assert (other.result.outcome, other.result.exit_code) == (one.result.outcome, one.result.exit_code)


def part(number: int, outcome: Outcome, reason: str = "", *, ended: bool = True) -> list[Event]:
    """The second of two machines' share: a part of one target."""
    target = Target(Stage.UNIT, "api")
    result = TargetResult(target, outcome, reason)
    start = RunStarted("shop", "main", (target,), shard=f"{number}/2", at=float(number))
    end = RunFinished(RunResult((result,)), at=number + 2.0)
    return [start, TargetFinished(result, at=number + 1.0), *([end] if ended else [])]


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        (part(1, Outcome.PASSED), part(2, Outcome.PASSED), Outcome.PASSED),
        (part(1, Outcome.PASSED), part(2, Outcome.FAILED), Outcome.FAILED),
        (part(1, Outcome.ERROR), part(2, Outcome.FAILED), Outcome.ERROR),
        (part(1, Outcome.PASSED), part(2, Outcome.SKIPPED, f"{NOTHING_LEFT} part 2 of 2"), Outcome.PASSED),
        (part(1, Outcome.PASSED), part(2, Outcome.SKIPPED, "unit failed"), Outcome.SKIPPED),
        (part(1, Outcome.PASSED), part(2, Outcome.PASSED, ended=False), Outcome.INTERRUPTED),
    ],
)
def test_parts_of_a_target_are_as_good_as_the_worst(
    one: list[Event], other: list[Event], outcome: Outcome
) -> None:
    """A part without a test is none; a machine that was cut off leaves the whole run interrupted."""
    for runs in ({"a": one, "b": other}, {"b": other, "a": one}):
        _, finished = merged(runs)
        (result,) = finished.result.targets
        told = finished.result.outcome if outcome is Outcome.INTERRUPTED else result.outcome
        assert told is outcome


def test_the_tests_of_all_parts_are_counted() -> None:
    """Each machine collected its own."""
    events = list(recordings.passing())
    tests = [event for event in events if isinstance(event, TestFinished)]
    begun, _ = merged(shares(events, 3))
    assert sorted(map(str, (e for e in begun if isinstance(e, TestFinished)))) == sorted(map(str, tests))


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ({"a": []}, "a: does not hold the events of a run"),
        ({"a": part(1, Outcome.PASSED)}, "shard 2/2 is missing"),
        ({"a": part(1, Outcome.PASSED), "b": part(1, Outcome.PASSED)}, "a and b are both shard 1/2"),
    ],
)
def test_what_is_no_whole_run_is_refused(runs: dict[str, list[Event]], said: str) -> None:
    """A green run of which a part is missing would be a lie."""
    with pytest.raises(UsageError) as caught:
        merged(runs)
    assert str(caught.value).startswith(said)


def test_shares_of_different_runs_are_refused() -> None:
    """One of two machines beside one of three."""
    start, *rest = part(2, Outcome.PASSED)
    assert isinstance(start, RunStarted)
    with pytest.raises(UsageError, match=r"a is a share of 2 machines, b of 3: not one run"):
        merged({"a": part(1, Outcome.PASSED), "b": [replace(start, shard="2/3"), *rest]})


def test_machines_that_found_different_tests_of_a_file_are_refused() -> None:
    """Each took what the others were to leave out: one may have run nowhere."""
    runs = {}
    for number, split in ((1, "same"), (2, "other")):
        start, *rest = part(number, Outcome.PASSED)
        assert isinstance(start, RunStarted)
        runs[f"{number}.jsonl"] = [start, TestsCollected(start.targets[0], 3, split, at=start.at), *rest]
    with pytest.raises(UsageError, match=r"1\.jsonl and 2\.jsonl did not find the same tests of unit api"):
        merged(runs)
    (start, found, *rest) = runs["2.jsonl"]
    assert isinstance(found, TestsCollected)
    assert merged({**runs, "2.jsonl": [start, replace(found, split="same"), *rest]})

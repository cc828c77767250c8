"""PURE: the runs of several machines, each with its share of the targets, as the one run that they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from msgspec.structs import fields, replace

from tasklib.errors import UsageError
from tasklib.events import Event, RunFinished, RunStarted, TargetFinished, TargetStarted, TestsCollected
from tasklib.results import NOTHING_LEFT, Counts, Outcome, Phase, RunResult, Stage, Target, TargetResult

__all__ = ["merged"]

_WORST = (Outcome.INTERRUPTED, Outcome.ERROR, Outcome.FAILED, Outcome.SKIPPED, Outcome.PASSED)
_SLOWEST = 10


def merged(runs: Mapping[str, Sequence[Event]]) -> tuple[tuple[Event, ...], RunFinished]:
    """The events of all ``runs`` (by the names of their files) as one machine's, and the end of it all.

    A run without an end was cut off: it counts as interrupted. Raises
    :class:`~tasklib.errors.UsageError` for what is no run, and where a share is missing or there twice.
    """
    starts = {name: _start(name, events) for name, events in runs.items()}
    _complete({name: start.shard for name, start in starts.items()})
    _agreed({name: start.split for name, start in starts.items()})
    _spread(runs)
    first = min(starts.values(), key=lambda start: start.at)
    folders = dict(chain.from_iterable(zip(s.targets, s.folders, strict=False) for s in starts.values()))
    planned = set(chain.from_iterable(start.targets for start in starts.values()))
    targets = tuple(sorted(planned, key=lambda target: (list(Stage).index(target.stage), target.service)))
    begun = replace(first, targets=targets, folders=tuple(folders.get(t, "") for t in targets), shard="")
    every = sorted(chain.from_iterable(runs.values()), key=lambda event: event.at)
    finishes: dict[Target, TargetFinished] = {}
    found: list[Event] = []
    started: set[Target] = set()
    for event in every:
        match event:
            case RunStarted() | RunFinished():
                pass
            case TargetStarted():
                if event.target not in started:
                    started.add(event.target)
                    found.append(event)
            case TargetFinished():
                before = finishes.get(event.result.target)
                result = _together(before.result, event.result) if before else event.result
                finishes[event.result.target] = replace(event, result=result)
            case _:
                found.append(event)
    ends = [event for event in every if isinstance(event, RunFinished)]
    results = {target: finish.result for target, finish in finishes.items()}
    whole = RunResult(
        tuple(results.get(target) or TargetResult(target, Outcome.INTERRUPTED) for target in targets),
        seconds=every[-1].at - first.at,
        interrupted=len(ends) < len(runs) or any(end.result.interrupted for end in ends),
    )
    found = sorted([*found, *finishes.values()], key=lambda event: event.at)
    return (begun, *found), RunFinished(whole, at=every[-1].at)


def _start(name: str, events: Sequence[Event]) -> RunStarted:
    start = events[0] if events else None
    if not isinstance(start, RunStarted):
        raise UsageError(
            "does not hold the events of a run",
            where=name,
            remedy="It has to be what `--report FILE.jsonl` wrote.",
        )
    return start


def _complete(shards: Mapping[str, str]) -> None:
    """Refuse shares of different numbers, a share twice, and a share too few."""
    there: dict[str, str] = {}
    for name, shard in shards.items():
        if shard in there:
            raise UsageError(f"{there[shard]} and {name} are both {_called(shard)}")
        there[shard] = name
    numbers = {shard.partition("/")[2]: name for shard, name in there.items()}
    if len(numbers) > 1:
        (of, one), (other_of, other), *_ = numbers.items()
        raise UsageError(
            f"{one} is a share of {of or 'one'} machines, {other} of {other_of or 'one'}: not one run"
        )
    (of,) = numbers
    missing = [f"{n}/{of}" for n in range(1, int(of or 0) + 1) if f"{n}/{of}" not in there]
    if missing:
        raise UsageError(
            f"{' and '.join(map(_called, missing))} {'is' if len(missing) == 1 else 'are'} missing",
            remedy="Whether all tests passed is known only with all of them.",
        )


def _agreed(splits: Mapping[str, str]) -> None:
    """Refuse machines that decided by different things: a test may have run nowhere."""
    (name, split), *others = splits.items()
    for other, another in others:
        if another != split:
            raise UsageError(
                f"{name} and {other} did not share the same tests",
                remedy="All machines need the same files and the same TASKLIB_DURATIONS.",
            )


def _spread(runs: Mapping[str, Sequence[Event]]) -> None:
    """Refuse machines that found different tests in a file that they share: one may have run nowhere."""
    told: dict[Target, tuple[str, str]] = {}
    for name, events in runs.items():
        last = {e.target: e.split for e in events if isinstance(e, TestsCollected) and e.split}
        for target, split in last.items():
            other, before = told.setdefault(target, (name, split))
            if before != split:
                raise UsageError(
                    f"{other} and {name} did not find the same tests of {target}",
                    remedy="Tests that machines share need the same ids on each: give `parametrize` fixed "
                    "ids, or keep the tests together with `pytest.mark.xdist_group`.",
                )


def _called(shard: str) -> str:
    return f"shard {shard}" if shard else "a whole run"


def _together(one: TargetResult, other: TargetResult) -> TargetResult:
    """Two parts of one target, of which one may have had no test to run."""
    for part, rest in ((one, other), (other, one)):
        if part.outcome is Outcome.SKIPPED and part.reason.startswith(NOTHING_LEFT):
            return rest
    worse = min((one, other), key=lambda result: _WORST.index(result.outcome))
    counts = Counts(
        **{
            field.name: getattr(one.counts, field.name) + getattr(other.counts, field.name)
            for field in fields(Counts)
        }
    )
    return replace(
        worse,
        counts=counts,
        failures=(*one.failures, *other.failures),
        slowest=tuple(sorted((*one.slowest, *other.slowest), key=lambda test: -test.seconds))[:_SLOWEST],
        seconds=max(one.seconds, other.seconds),
        phases={
            phase: one.phases.get(phase, 0.0) + other.phases.get(phase, 0.0)
            for phase in Phase
            if phase in one.phases or phase in other.phases
        },
        logs=(*one.logs, *other.logs),
        slow=one.slow + other.slow,
        exit_code=one.exit_code or other.exit_code,
    )

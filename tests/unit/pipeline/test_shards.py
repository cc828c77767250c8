"""Every test runs on exactly one machine, whatever is known of how long it takes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tasklib.pipeline.shards import WHOLE, Cost, Part, spread
from tasklib.results import Stage, Target

targets = st.builds(Target, st.sampled_from(list(Stage)), st.sampled_from([f"s{n}" for n in range(9)]))
seconds = st.floats(0, 1e6)
costs = st.dictionaries(targets, st.builds(Cost, seconds, seconds, st.booleans()), max_size=20)


@given(costs, st.integers(1, 40))
def test_each_part_of_each_target_is_on_one_machine(known: dict[Target, Cost], shards: int) -> None:
    """All parts of all targets, none twice, never two of one target on one machine, in whatever order."""
    found = spread(known, shards)
    assert len(found) == shards
    parts = Counter((target, part) for shard in found for target, part in shard.items())
    assert set(parts.values()) <= {1}
    for target, cost in known.items():
        of = {part.of for (other, part) in parts if other == target}
        assert len(of) == 1
        assert {part.number for (other, part) in parts if other == target} == set(range(1, of.pop() + 1))
        assert cost.splits or (target, WHOLE) in parts
    assert spread(dict(reversed(known.items())), shards) == found


@given(st.lists(st.floats(1, 10), min_size=1, max_size=30), st.integers(1, 8))
def test_no_machine_is_left_with_much_more_than_its_share(tests: list[float], shards: int) -> None:
    """What is longest decides, else the fair share and one target."""
    known = {Target(Stage.UNIT, f"s{n}"): Cost(0.0, spent) for n, spent in enumerate(tests)}
    loads = [sum(known[target].tests for target in shard) for shard in spread(known, shards)]
    assert max(loads) <= sum(tests) / shards + max(tests) + 1


def test_what_is_longer_than_a_fair_share_is_split() -> None:
    """In as many parts as its tests fill, each with a stack."""
    big, small = Target(Stage.SERVICE, "big"), Target(Stage.UNIT, "small")
    found = spread({big: Cost(2.0, 60.0, splits=True), small: Cost(0.0, 2.0)}, 4)
    assert [shard.get(big) for shard in found].count(None) == 0
    assert {shard[big] for shard in found} == {Part(number, 4) for number in range(1, 5)}
    assert spread({big: Cost(2.0, 60.0), small: Cost(0.0, 2.0)}, 4)[0] == {big: WHOLE}

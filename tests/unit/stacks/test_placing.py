"""Which stack goes to which of several engines."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tasklib.stacks.placing import Load, Room, place

rooms = st.lists(st.builds(Room, st.integers(1, 8), st.integers(0, 10)), min_size=1, max_size=4)
loads = st.lists(st.builds(Load, st.integers(1, 4)), max_size=12)


def used(stacks: Sequence[Load], found: Sequence[int], engines: Sequence[Room]) -> list[int]:
    """What is used of each engine's places in the end."""
    mine = zip(stacks, found, strict=True)
    weights = [(number, load.weight) for load, number in mine]
    return [room.taken + sum(w for n, w in weights if n == number) for number, room in enumerate(engines)]


@given(loads, rooms)
def test_no_engine_has_more_than_it_bears_where_there_is_room_elsewhere(
    stacks: list[Load], engines: list[Room]
) -> None:
    """None of an overfull engine's stacks fits on another one."""
    found = place(stacks, engines)
    after = used(stacks, found, engines)
    for load, number in zip(stacks, found, strict=True):
        if after[number] > engines[number].places:
            others = [n for n in range(len(engines)) if n != number]
            assert not [n for n in others if after[n] + load.weight <= engines[n].places]


@given(loads, rooms)
def test_the_same_values_are_placed_alike(stacks: list[Load], engines: list[Room]) -> None:
    """And every stack is placed, on an engine that there is."""
    found = place(stacks, engines)
    assert found == place(tuple(stacks), tuple(engines))
    assert len(found) == len(stacks)
    assert set(found) <= set(range(len(engines)))


@given(loads, rooms, st.data())
def test_what_is_somewhere_stays_there(stacks: list[Load], engines: list[Room], data: st.DataObject) -> None:
    """However full that engine is."""
    there = data.draw(st.integers(0, len(engines) - 1))
    assert place([Load(9, there), *stacks], engines)[0] == there


def test_equal_engines_share_alike() -> None:
    """One that is busy gets less."""
    assert sorted(place([Load()] * 4, [Room(5), Room(5)])) == [0, 0, 1, 1]
    assert sorted(place([Load()] * 4, [Room(5, taken=4), Room(5)])) == [1, 1, 1, 1]


def test_more_than_all_of_them_bear_is_spread_by_size() -> None:
    """Places beyond the last are shared in proportion."""
    assert place([Load()] * 12, [Room(4), Room(2)]).count(0) == 8

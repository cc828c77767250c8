"""PURE: which stack goes to which of several engines."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

__all__ = ["Load", "Room", "place", "places_of", "shared_places_of"]

_MEMORY = 512 << 20
"""Bytes that a stack of a few services, its data in memory and its tests are given room for."""


class Room(Struct, frozen=True):
    """An engine: how many stacks of a few services it bears at once, and how many run there already."""

    places: int
    taken: int = 0


class Load(Struct, frozen=True):
    """A stack: how many places it fills, and the number of the engine that has it (``None``: none yet)."""

    weight: int = 1
    there: int | None = None


def place(stacks: Sequence[Load], rooms: Sequence[Room]) -> tuple[int, ...]:
    """For each of ``stacks`` the number of its engine; the same for the same values.

    What is somewhere stays there. Of the rest the heaviest go first, each to the engine of which the smallest
    part is used then, among those that have room for it where there is any. Of several the first listed.

    >>> place([Load(), Load(), Load(3)], [Room(5), Room(3)])
    (1, 1, 0)
    >>> place([Load(), Load(there=0)], [Room(1, taken=1), Room(1)])
    (1, 0)
    """
    used = [room.taken for room in rooms]
    found = [load.there or 0 for load in stacks]
    free = [number for number, load in enumerate(stacks) if load.there is None]
    for number in sorted(free, key=lambda number: -stacks[number].weight):
        weight = stacks[number].weight

        def rank(engine: int, weight: int = weight) -> tuple[bool, float]:
            after = used[engine] + weight
            return after > rooms[engine].places, after / rooms[engine].places

        found[number] = best = min(range(len(rooms)), key=rank)
        used[best] += weight
    return tuple(found)


def places_of(processors: int, memory: int) -> int:
    """The places of a machine with so much ``memory`` (bytes; 0: not known).

    >>> places_of(2, 24 << 30), places_of(2, 2 << 30), places_of(16, 8 << 30), places_of(2, 0)
    (5, 4, 16, 5)
    """
    by_processors = max(4, 2 * processors) + 1
    return min(by_processors, max(2, memory // _MEMORY)) if memory else by_processors


def shared_places_of(processors: int, places: int) -> int:
    """How many of a machine's ``places`` several runs fill: as many as keep its processors busy.

    The others are for what a run has to wait for besides: alone it is sooner done by them, while with work of
    other runs they only take turns.

    >>> shared_places_of(2, 5), shared_places_of(16, 33), shared_places_of(16, 8)
    (3, 17, 8)
    """
    return min(places, processors + 1)

"""PURE: how the targets of a run are spread over several machines, so that each is done about as soon.

Every machine decides for itself, and all decide the same: by the targets and by one record of what they took.
A record that is wrong makes the shares uneven; nothing is left out by it and nothing run twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct, field

from tasklib.pipeline.durations import Durations
from tasklib.results import Stage, Target

__all__ = ["WHOLE", "Cost", "Part", "Shard", "Share", "spread"]

_SMALLEST = 0.01
"""Seconds that anything takes."""


class Shard(Struct, frozen=True):
    """The machine with this ``number`` (from 1) ``of`` several."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


class Part(Struct, frozen=True):
    """The part of a target's tests with this ``number`` (from 1) ``of`` several."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"part {self.number} of {self.of}"


WHOLE = Part(1, 1)


class Share(Struct, frozen=True):
    """What one machine runs of a target, with what that took before."""

    part: Part
    durations: Durations = field(default_factory=Durations)


class Cost(Struct, frozen=True):
    """The seconds that a target takes: of its stack, however few of its tests run, and of its ``tests``.

    ``splits``: its tests may run on several machines, each with a stack.
    """

    stack: float
    tests: float
    splits: bool = False

    @staticmethod
    def guessed(target: Target, *, splits: bool) -> Cost:
        """What is assumed of a target that no record knows."""
        stack, tests = {Stage.UNIT: (0.0, 2.0), Stage.SERVICE: (3.0, 3.0), Stage.INTEGRATION: (6.0, 6.0)}[
            target.stage
        ]
        return Cost(stack, tests, splits)


def spread(costs: Mapping[Target, Cost], shards: int) -> tuple[Mapping[Target, Part], ...]:
    """What each of ``shards`` machines runs: its targets, whole or a part of each.

    The longest first, each to the machine that has least to do. What takes longer than a fair share is split.
    """
    # Exact, so that the order of the targets is of no account.
    fair = math.fsum(part for cost in costs.values() for part in (cost.stack, cost.tests)) / shards
    pieces: list[tuple[float, Target, Part]] = []
    for target, cost in costs.items():
        seconds = max(_SMALLEST, cost.stack) + max(_SMALLEST, cost.tests)
        parts = 1
        if cost.splits and seconds > fair > cost.stack:
            # So many that each, with a stack of its own, is a fair share.
            parts = min(shards, math.ceil(cost.tests / (fair - cost.stack)))
        each = max(_SMALLEST, cost.stack) + max(_SMALLEST, cost.tests) / parts
        pieces += [(each, target, Part(number + 1, parts)) for number in range(parts)]
    pieces.sort(key=lambda piece: (-piece[0], piece[1].stage, piece[1].service, piece[2].number))
    loads, found = [0.0] * shards, [dict[Target, Part]() for _ in range(shards)]
    for seconds, target, part in pieces:
        number = min((n for n in range(shards) if target not in found[n]), key=lambda n: (loads[n], n))
        loads[number] += seconds
        found[number][target] = part
    return tuple(found)

"""Which targets this machine runs of those that a run has: see :mod:`tasklib.pipeline.shards`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from tasklib.errors import ConfigError
from tasklib.pipeline.durations import VARIABLE, Durations, read_durations
from tasklib.pipeline.options import Options
from tasklib.pipeline.plan import matching
from tasklib.pipeline.shards import Cost, Shard, Share, spread
from tasklib.pipeline.suites.planning import plan_suite
from tasklib.pipeline.suites.suite import SuiteKind
from tasklib.project import Project
from tasklib.results import Stage, Target

__all__ = ["with_share"]


def with_share(
    project: Project, stages: Sequence[Stage], options: Options, shard: Shard, env: Mapping[str, str]
) -> Options:
    """``options`` narrowed to what ``shard`` runs of ``stages``, by the durations that ``env`` names.

    Raises :class:`~tasklib.errors.ConfigError` where these cannot be read.
    """
    named = env.get(VARIABLE)
    known = read_durations(Path(named)) if named else {}
    costs = {
        target: _cost(project, target, options, known.get(target))
        for target in matching(project, stages, options)
    }
    mine = spread(costs, shard.of)[shard.number - 1]
    return replace(
        options,
        shard=shard,
        split=_digest(costs, known),
        parts={target: Share(part, known.get(target, Durations())) for target, part in mine.items()},
    )


def _digest(costs: Mapping[Target, Cost], known: Mapping[Target, Durations]) -> str:
    """Differs where two machines would not share alike."""
    rows = [
        (
            target.stage,
            target.service,
            cost.stack,
            cost.tests,
            cost.splits,
            sorted(known.get(target, Durations()).tests.items()),
        )
        for target, cost in sorted(costs.items())
    ]
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def _cost(project: Project, target: Target, options: Options, known: Durations | None) -> Cost:
    try:
        splits = plan_suite(project, target, options.of_suites).kind is SuiteKind.PYTEST
    except ConfigError:
        splits = False  # It cannot be run at all, which is its result on the machine that tries.
    if known is None:
        return Cost.guessed(target, splits=splits)
    return Cost(known.stack, sum(known.tests.values()), splits)

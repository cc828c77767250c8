"""Bakes that nobody needs: those of one checkout alone, and those that were not used for long."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import Resource
from tasklib.stacks.holding.bakery import baking_lock
from tasklib.stacks.holding.run import RunContext
from tasklib.state.bakes import BakeRecord, Bakes
from tasklib.state.store import State

__all__ = ["forget_bakes", "leave_bakes", "own_bakes", "unused_bakes"]

_UNUSED = 7 * 24 * 3600.0
"""Seconds after which a bake that nobody starts from is not needed any more."""


def own_bakes(context: RunContext) -> tuple[str, ...]:
    """The tags of those that no other checkout starts from; none that is being made now.

    What all have left is anybody's to remove.
    """
    found = []
    mine = context.instance.checkout
    for bake in Bakes(context.state, context.engine.facts.id).all():
        if set(bake.used) <= {mine}:
            lock = baking_lock(context, bake.key)
            if lock.try_acquire():
                lock.release()
                found.append(bake.tag)
    return tuple(found)


def leave_bakes(context: RunContext) -> None:
    """The checkout starts from none of those that others start from too: they are theirs now."""
    known, mine = Bakes(context.state, context.engine.facts.id), context.instance.checkout
    for bake in known.all():
        if mine in bake.used and len(bake.used) > 1:
            known.leave(bake.tag, [mine])


def forget_bakes(engine: Engine, state: State, tags: Iterable[str]) -> None:
    """The images of ``tags`` were removed; those that are there still stay on record."""
    known = Bakes(state, engine.facts.id)
    for tag in tags:
        if not engine.images([tag]):
            known.forget(tag)


def unused_bakes(
    engine: Engine, state: State, gone: Mapping[str, str]
) -> tuple[tuple[BakeRecord, str, tuple[Resource, ...]], ...]:
    """Bakes that only checkouts used that are ``gone`` (checkout → why), or nobody for long."""
    found = []
    for bake in Bakes(state, engine.facts.id).all():
        idle = time.time() - bake.last_used
        whys = [gone.get(checkout, "") for checkout in bake.used]
        why = f"not used for {idle / 86400:.0f} days" if idle > _UNUSED else ""
        if whys and all(whys):
            why = whys[0]
        if why:
            found.append((bake, why, engine.images([bake.tag])))
    return tuple(found)

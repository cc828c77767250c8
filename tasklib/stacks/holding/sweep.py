"""Whose is what on the engine, and the removal of what dead runs left: by label and record, never by name."""

from __future__ import annotations

import time

from tasklib.instance.claim import owner
from tasklib.instance.claims import Claims
from tasklib.stacks.arbiter import EngineArbiter
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import PROJECT_LABEL
from tasklib.stacks.labels import CHECKOUT, HOST
from tasklib.stacks.leases import end_leases, leased
from tasklib.state.records import Kept, Run, Runs
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import State

__all__ = ["expire", "sweep"]


def sweep(engine: Engine, state: State) -> tuple[str, ...]:
    """Remove the stacks of runs whose process is known to be gone; returns the projects removed.

    Kept stacks stay, and so does a stack that someone uses by now or whose reaper is still at work.
    """
    runs = Runs(state, engine.facts.id)
    removed = []
    for run in runs.all():
        if run.alive is not False:
            continue
        left = False
        for project in run.projects:
            found, gone = _remove(engine, state, run, project)
            if gone:
                removed.append(project)
            left = left or found
        if not left:
            # The record goes once a look finds nothing: the engine may still have been creating things.
            end_leases(engine, run.id)
            runs.finish(run.id)
    # Containers may have one machine's id, one path for their state, and nothing in it.
    Claims(state, engine.facts.id).sweep(owner(state), EngineArbiter(engine, spared=leased(engine)))
    return tuple(dict.fromkeys(removed))


def _remove(engine: Engine, state: State, run: Run, project: str) -> tuple[bool, bool]:
    """Whether there was, or may be, anything of ``project``, and whether any of it went."""
    if Kept(state, engine.facts.id).keeps(project, run.checkout):
        return False, False
    lock = StackLock(state, engine.facts.id, project)
    if not lock.try_acquire():
        return True, False
    try:
        # What its tests made without our labels is its reaper's: by now it may as well be made by hand.
        found = engine.owned({PROJECT_LABEL: project, CHECKOUT: run.checkout, HOST: owner(state)})
        return bool(found), bool(engine.remove(found))
    finally:
        lock.release()


def expire(engine: Engine, state: State) -> list[str]:
    """Remove the stacks that failed tests left to be looked at and whose time is over; returns the projects.

    One that someone uses goes the next time.
    """
    kept, gone = Kept(state, engine.facts.id), []
    for stack in kept.all():
        lock = StackLock(state, engine.facts.id, stack.project)
        if not stack.until or time.time() < stack.until or not lock.try_acquire():
            continue
        try:
            found = engine.owned({PROJECT_LABEL: stack.project, CHECKOUT: stack.checkout, HOST: owner(state)})
            removed = engine.remove(found)
            if len(removed) == len(found):
                kept.discard(stack.project)
            if removed:
                gone.append(stack.project)
        finally:
            lock.release()
    return gone

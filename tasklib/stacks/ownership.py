"""Whose is what on the engine, by label and record, never by name; and what dead runs left there."""

from __future__ import annotations

from tasklib.records import Kept, Runs
from tasklib.stacks.containers import PROJECT_LABEL
from tasklib.stacks.engine import Engine
from tasklib.stacks.labels import CHECKOUT
from tasklib.stacks.locks import StackLock
from tasklib.state import State

__all__ = ["owners", "sweep"]


def owners(engine: Engine, project: str) -> frozenset[str]:
    """The checkouts that own resources of a Compose project or of its service stacks ("": not ours)."""
    found = engine.owned({PROJECT_LABEL: ""})
    return frozenset(
        resource.labels.get(CHECKOUT, "")
        for resource in found
        if resource.labels.get(PROJECT_LABEL, "").partition("_")[0] == project
    )


def sweep(engine: Engine, state: State) -> tuple[str, ...]:
    """Remove the stacks of runs whose process is known to be gone; returns the projects removed.

    Kept stacks stay, and so does a stack that someone uses again by now.
    """
    runs, kept = Runs(state, engine.facts.id), Kept(state, engine.facts.id)
    removed = []
    for run in runs.all():
        if run.alive is not False:
            continue
        for project in run.projects:
            lock = StackLock(state, engine.facts.id, project)
            if kept.get(project) or not lock.try_acquire():
                continue
            try:
                if engine.remove(engine.owned({PROJECT_LABEL: project, CHECKOUT: run.checkout})):
                    removed.append(project)
            finally:
                lock.release()
        runs.finish(run.id)
    return tuple(removed)

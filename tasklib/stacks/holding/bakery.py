"""The bakes of a run: found, made where there is none yet, and on record for whoever cleans up."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import EngineError, TasklibError
from tasklib.isolation import Instance
from tasklib.listener import Listener
from tasklib.stacks.baking.oven import bake
from tasklib.stacks.baking.recipe import REPOSITORY, Recipe
from tasklib.stacks.baking.recipes import recipes_of
from tasklib.stacks.baking.unfit import Unfit
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import PROJECT_LABEL
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.labels import labels
from tasklib.stacks.preparation import Prepared
from tasklib.stacks.rewrite import Bake
from tasklib.state.bakes import BakeRecord, Bakes
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import State

__all__ = ["Bakery", "baking_lock", "with_known_bakes"]

_FRESH = 24 * 3600.0
"""Seconds after which a bake is made again: scripts may have asked for the time."""


class Bakery:
    """Bakes for the stacks of one run. Safe to use from threads."""

    def __init__(self, context: RunContext, listener: Listener, *, fresh: bool = False) -> None:
        """``fresh`` is whether the stores of a stack that was kept are made anew."""
        self._context = context
        self._listener = listener
        self._fresh = fresh

    def __call__(self, prepared: Prepared, cancel: process.Cancel) -> Prepared:
        """The same stack, its stores starting from bakes; one that cannot be baked starts as it did."""
        recipes = recipes_of(prepared, self._context.engine)
        for name, why in recipes.unfit.items():
            self._listener.line(f"{name}: not baked: {why}")
        running = self._kept(prepared)
        bakes = {}
        for name, recipe in recipes.found.items():
            image = running.get(name, "")
            if image.startswith(recipe.family):
                tag = image  # It keeps its data, however old that is.
            elif image and not image.startswith(f"{REPOSITORY}/"):
                tag = ""
            else:
                tag = self._baked(recipe, prepared.plan.ready_timeout, cancel)
            if tag:
                bakes[name] = recipe.bake(tag)
        return prepared.baked(bakes) if bakes else prepared

    def _kept(self, prepared: Prepared) -> Mapping[str, str]:
        """The images that the stores of a stack run from which outlived an earlier run."""
        context = self._context
        kept = context.kept.get(prepared.project)
        if self._fresh or kept is None or kept.until or kept.checkout != context.instance.checkout:
            return {}
        return {found.service: found.image for found in context.engine.containers(prepared.project)}

    def _baked(self, recipe: Recipe, timeout: float, cancel: process.Cancel) -> str:
        """The tag of a bake, made now where there is none; "" where it cannot be."""
        context, bakes = self._context, _bakes(self._context.state, self._context.engine)
        project = _project(context.instance, recipe)
        # One at a time, whoever's: the second finds what the first made.
        lock = baking_lock(context, recipe.key)
        lock.acquire(cancel)
        try:
            found = _current(bakes, recipe, context.engine)
            if found is None:
                self._listener.waits(f"{recipe.service}: initialising once for all later starts")
                found = self._make(recipe, project, timeout, cancel)
            if not found.image:
                self._listener.line(f"{recipe.service}: not baked: {found.failed}")
                return ""
            bakes.use(found.tag, context.instance.checkout)
            return found.tag
        finally:
            lock.release()

    def _make(self, recipe: Recipe, project: str, timeout: float, cancel: process.Cancel) -> BakeRecord:
        context, bakes = self._context, _bakes(self._context.state, self._context.engine)
        own = {**labels(context.instance, "bake"), PROJECT_LABEL: project}
        record = BakeRecord(recipe.tag(time.time_ns()), recipe.key)
        guard = context.lock(project)
        guard.acquire(cancel)
        bakes.add(record)
        context.runs.add(context.run_id, project)
        context.reaper.watch(project, own, guard)
        try:
            made = bake(context.engine, recipe, record.tag, own, timeout, cancel)
            record = replace(record, image=made)
        except Unfit as why:
            record = replace(record, failed=str(why))
        except EngineError as error:
            if not context.engine.heart.beats():
                raise
            record = replace(record, failed=error.what)
        except BaseException:
            # The engine may have made it although we were not told.
            with contextlib.suppress(TasklibError):
                context.engine.remove(context.engine.images([record.tag]))
                bakes.forget(record.tag)
            raise
        finally:
            context.engine.remove(context.engine.owned(own))
            context.reaper.spare(project)
            context.runs.discard(context.run_id, project)
            guard.release()
        bakes.add(record)
        _replace(bakes, context.engine, record)
        return record


def with_known_bakes(prepared: Prepared, engine: Engine, state: State) -> Prepared:
    """The same stack with the bakes that there are; nothing is made."""
    bakes: dict[str, Bake] = {}
    known = _bakes(state, engine)
    running = {found.service: found.image for found in engine.containers(prepared.project)}
    for name, recipe in recipes_of(prepared, engine).found.items():
        if (image := running.get(name, "")).startswith(recipe.family):
            bakes[name] = recipe.bake(image)
        elif name not in running and (found := _current(known, recipe, engine)) and found.image:
            bakes[name] = recipe.bake(found.tag)
    return prepared.baked(bakes) if bakes else prepared


def baking_lock(context: RunContext, key: str) -> StackLock:
    """Held while a bake is looked for, made or removed."""
    return context.lock(f"{REPOSITORY} {key}")


def _bakes(state: State, engine: Engine) -> Bakes:
    return Bakes(state, engine.facts.id)


def _project(instance: Instance, recipe: Recipe) -> str:
    """A Compose project of the instance's, for as long as something is baked: whatever dies, it is found."""
    return f"{instance.project()}_bake-{recipe.key}"


def _current(bakes: Bakes, recipe: Recipe, engine: Engine) -> BakeRecord | None:
    """The bake that a recipe leads to today, or the record of its failure."""
    for known in bakes.all():
        young = 0 <= time.time() - known.at < _FRESH
        if not (young and known.tag.startswith(recipe.family)):
            continue
        if known.failed or (known.image and engine.image_id(known.tag) == known.image):
            return known
    return None


def _replace(bakes: Bakes, engine: Engine, new: BakeRecord) -> None:
    """Earlier bakes of the same go, unless a container still uses one."""
    for old in bakes.all():
        if old.key == new.key and old.tag != new.tag:
            images = engine.images([old.tag])
            if len(engine.remove(images)) == len(images):
                bakes.forget(old.tag)

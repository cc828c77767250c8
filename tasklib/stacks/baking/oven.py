"""Bakes a store: a container of its own without a network, ended once it serves, and kept as an image."""

from __future__ import annotations

import time
from collections.abc import Mapping

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import EngineError
from tasklib.stacks.archive import Copied, archive
from tasklib.stacks.baking.recipe import Recipe
from tasklib.stacks.baking.unfit import Unfit
from tasklib.stacks.engine.engine import Engine

__all__ = ["bake"]

_PAUSE = 0.05
"""Seconds between two looks whether it serves."""

_GRACE = 60
"""Seconds that it has to end: what is ended by force would have to be repaired at each start."""

_FILES = 'for folder; do find "$folder" -type f | grep -q . && exit 1; done; exit 0'
"""Whether nothing was written to these folders."""

_TOUCH = '[ -e "$1" ] || : >"$1"'
"""An image without that file has a check that does not ask for it; told of it, it wants it to exist."""


def bake(
    engine: Engine,
    recipe: Recipe,
    tag: str,
    labels: Mapping[str, str],
    timeout: float,
    cancel: process.Cancel,
) -> str:
    """Make the image ``tag`` and return its id; ``labels`` are what the container carries meanwhile.

    Raises :class:`Unfit` where the store does not become ready in ``timeout`` seconds, or does what an image
    cannot hold. Whoever calls it removes what carries the labels.
    """
    copies = () if engine.facts.reach.disk.shared else recipe.errand.files
    files = () if copies else recipe.errand.files
    container = engine.create(replace(recipe.errand, labels=labels, files=files))
    if copies:
        with archive([Copied(path, inside.lstrip("/")) for path, inside in copies]) as packed:
            engine.copy_in(container, "/", packed)
    engine.start(container)
    until = time.monotonic() + timeout
    while not _serves(engine, recipe, container):
        cancel.check()
        if time.monotonic() > until:
            raise Unfit(f"it was not ready after {timeout:g} s without a network")
        time.sleep(_PAUSE)
    if recipe.hidden and not engine.run_inside(container, ("sh", "-c", _FILES, "sh", *recipe.hidden)):
        raise Unfit(f"it writes to {' or '.join(recipe.hidden)}, which no image holds")
    if recipe.check_file and not engine.run_inside(container, ("sh", "-c", _TOUCH, "sh", recipe.check_file)):
        raise Unfit(f"{recipe.check_file} cannot be written")
    # No image is to hold them: each start brings its own.
    if copies and not engine.run_inside(container, ("rm", "-f", "--", *(inside for _, inside in copies))):
        raise Unfit("the files that it was given cannot be removed again")
    engine.stop(container, _GRACE)
    ended = engine.container(container)
    if ended is None or ended.state != "exited" or ended.exit_code:
        raise Unfit("it did not end by itself")
    cancel.check()
    return engine.commit(container, tag, recipe.image)


def _serves(engine: Engine, recipe: Recipe, container: str) -> bool:
    seen = engine.container(container)
    if seen is None or seen.state != "running":
        raise Unfit("it ended before it was ready")
    try:
        return engine.run_inside(container, recipe.baking.ready)
    except EngineError:
        return False  # It has ended meanwhile: the next look says so.

"""The recipes of a prepared stack."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from tasklib.stacks.baking.recipe import Recipe, can_be_baked, recipe_of, refuse_copies
from tasklib.stacks.baking.unfit import Unfit
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.preparation import Prepared

__all__ = ["Recipes", "recipes_of"]


class Recipes(Struct, frozen=True):
    """How to bake the stores of a stack, by service, and why others are not baked."""

    found: Mapping[str, Recipe] = field(default_factory=lambda: MappingProxyType({}))
    unfit: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def recipes_of(prepared: Prepared, engine: Engine) -> Recipes:
    """Those of a stack of tests. None where the plan does without, or keeps its data."""
    plan, rendered = prepared.plan, prepared.rendered
    if not plan.bake or plan.kept or "all" in plan.persistent:
        return Recipes()
    found, unfit = {}, {}
    for name, service in rendered["services"].items():
        volumes = {str(mount.get("source")) for mount in service.get("volumes") or ()}
        if {name, *volumes} & plan.persistent:
            continue
        image = str(service.get("image") or "")
        if not can_be_baked(image):
            continue
        try:
            recipe = recipe_of(name, rendered, engine.image_config(image))
            if not engine.facts.reach.disk.shared:
                refuse_copies(service, recipe.errand.files)
        except Unfit as why:
            unfit[name] = str(why)
        else:
            found[name] = recipe
    return Recipes(found, unfit)

"""Data stores that start from what they initialised before, kept as an image."""

from __future__ import annotations

from tasklib.stacks.rewrite.draft import Draft

__all__ = ["start_baked"]

_RULE = "bake"


def start_baked(draft: Draft) -> None:
    """The store's data is in its image, beside the volume that hides what an image holds."""
    for name, service in draft.services():
        bake = draft.facts.bakes.get(draft.copies.get(name, name))
        if bake is None or "build" in service:
            continue
        path = ("services", name)
        draft.put((*path, "image"), bake.tag, _RULE, "it starts from what it initialised before")
        draft.put((*path, "pull_policy"), "never", _RULE, "it was made here and is nowhere to be pulled")
        for variable, value in bake.environment.items():
            draft.put((*path, "environment", variable), value, _RULE, "there the image holds its data")
        draft.put((*path, "command"), list(bake.command), _RULE, "its data need not survive a crash")
        if bake.health_test:
            test = list(bake.health_test)
            draft.put((*path, "healthcheck", "test"), test, _RULE, "it reads in the folder of the data")

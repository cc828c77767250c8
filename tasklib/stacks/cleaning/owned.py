"""What a checkout owns on the engine, and removing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tasklib.errors import UsageError
from tasklib.stacks.cleaning.bakes import own_bakes
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import PROJECT_LABEL, Resource
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.images.ownership import ours_now
from tasklib.stacks.labels import INSTANCE, owner_labels

__all__ = [
    "built_projects",
    "is_own",
    "own_projects",
    "owned_now",
    "owned_of",
    "remove_images",
    "remove_project",
    "tags_of",
]


def remove_project(context: RunContext, project: str, *, force: bool = False) -> tuple[Resource, ...]:
    """Remove everything that this checkout owns of a Compose project; returns what went.

    Raises :class:`~tasklib.errors.UsageError` while someone uses it, unless ``force``.
    """
    lock = context.lock(project)
    if not lock.try_acquire(0.2) and not force:
        raise UsageError(
            f"{project} is in use by {lock.holder()}", remedy="Wait until that command has ended, or end it."
        )
    try:
        labels = {PROJECT_LABEL: project, **owner_labels(context.instance)}
        gone = context.engine.remove(context.engine.owned(labels))
        context.kept.discard(project)
        return gone
    finally:
        lock.release()


def owned_of(context: RunContext, projects: Iterable[str]) -> tuple[Resource, ...]:
    """What this checkout owns of Compose projects."""
    mine = owner_labels(context.instance)
    owned = (context.engine.owned({PROJECT_LABEL: project, **mine}) for project in projects)
    return tuple(resource for resources in owned for resource in resources)


def own_projects(context: RunContext, *, all_branches: bool = False) -> tuple[str, ...]:
    """The Compose projects of this instance (of this checkout) that have anything on the engine."""
    labels = owner_labels(context.instance)
    if not all_branches:
        labels[INSTANCE] = context.instance.id
    found = context.engine.owned(labels)
    return tuple(sorted({resource.labels.get(PROJECT_LABEL, "") for resource in found} - {""}))


def owned_now(context: RunContext, *, all_branches: bool) -> tuple[Resource, ...]:
    """What :func:`clean` would remove."""
    labels = owner_labels(context.instance)
    if not all_branches:
        labels[INSTANCE] = context.instance.id
    tags = [
        tag for project in built_projects(context, all_branches) for tag in sorted(tags_of(context, project))
    ]
    return (*context.engine.owned(labels), *context.engine.images([*tags, *own_bakes(context)]))


def remove_images(engine: Engine, images: Sequence[Resource]) -> tuple[Resource, ...]:
    """Remove images, and of the build cache what they alone had: it holds their layers, and so the space."""
    if not images:
        return ()
    before = engine.cached_layers()
    gone = engine.remove(images)
    now = engine.cached_layers()
    engine.prune_layers(layer for layer, shared in before.items() if shared and now.get(layer) is False)
    return gone


def built_projects(context: RunContext, all_branches: bool) -> list[str]:
    """The Compose projects that images were built for."""
    return [
        project
        for project, checkout in context.images.all()
        if checkout == context.instance.checkout and (all_branches or is_own(context, project))
    ]


def is_own(context: RunContext, project: str) -> bool:
    """Whether a Compose project is called as one of this instance."""
    return project.partition("_")[0] == context.instance.project()


def tags_of(context: RunContext, project: str) -> frozenset[str]:
    """The tags that still name what was built for the project here."""
    mine = context.instance
    return ours_now(context.engine, context.images, project, mine.checkout, mine.host)

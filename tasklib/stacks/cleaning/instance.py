"""``clean``: what this instance owns goes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tasklib.errors import UsageError
from tasklib.instance.claims import Claims
from tasklib.stacks.arbiter import EngineArbiter
from tasklib.stacks.cleaning.bakes import forget_bakes, leave_bakes, own_bakes
from tasklib.stacks.cleaning.owned import (
    built_projects,
    is_own,
    own_projects,
    owned_now,
    remove_images,
    remove_project,
    tags_of,
)
from tasklib.stacks.engine.values import Resource
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.plain import forget_plain
from tasklib.state.records import Run

__all__ = ["clean", "summary"]


def clean(context: RunContext, *, force: bool, all_branches: bool) -> tuple[Resource, ...]:
    """Remove all that this instance (with ``all_branches``: this checkout) owns; returns it, with sizes.

    Raises :class:`~tasklib.errors.UsageError` while a run holds any of it, unless ``force``: then runs of
    which nobody can know whether they live are taken for dead, as the user knows more.
    """
    holding = _holding(context, all_branches)
    if holding and not force:
        raise UsageError(
            f"{holding[0].instance} is in use by `{holding[0].command}` (pid {holding[0].process.pid}) "
            f"in {holding[0].root}",
            remedy="Wait until that run has ended, or remove what it uses with `--force`.",
        )
    # First, so that of two that clean at once the last one finds what both have left.
    leave_bakes(context)
    found = owned_now(context, all_branches=all_branches)
    # Sizes are known only while things exist; asking is slow and not worth it for nothing.
    sizes = {(r.kind, r.id): r.size for r in context.engine.sized(found)} if found else {}
    bakes = own_bakes(context)
    gone: list[Resource] = []
    for project in own_projects(context, all_branches=all_branches):
        gone += remove_project(context, project, force=force)
    gone += remove_images(context.engine, [resource for resource in found if resource.kind == "image"])
    forget_bakes(context.engine, context.state, bakes)
    for project in built_projects(context, all_branches):
        left = {image.id for image in context.engine.images(tags_of(context, project))}
        recorded = context.images.of(project, context.instance.checkout)
        context.images.forget(project, context.instance.checkout, recorded - left)
    there = own_projects(context, all_branches=True)
    forget_plain(
        context.state,
        context.instance.checkout,
        lambda project: project not in there and (all_branches or is_own(context, project)),
    )
    for run in holding:
        if run.alive is None:
            Claims(context.state, context.engine.facts.id).release_run(run.id, EngineArbiter(context.engine))
            context.runs.finish(run.id)
    return tuple(replace(resource, size=sizes.get((resource.kind, resource.id), 0)) for resource in gone)


def summary(resources: Sequence[Resource]) -> str:
    """``3 containers, 1 network, 2 image tags (12.5 MB)``."""
    counts: dict[str, int] = {}
    for resource in resources:
        kind = "image tag" if resource.kind == "image" else resource.kind
        counts[kind] = counts.get(kind, 0) + 1
    parts = [f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in counts.items()]
    size = sum(resource.size for resource in resources)
    return ", ".join(parts) + (f" ({_size(size)})" if size else "")


def _size(size: float) -> str:
    """``12.5 MB``, in the units that the engine's own tools count in."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _holding(context: RunContext, all_branches: bool) -> tuple[Run, ...]:
    """The other runs of this instance (of this checkout) that are not known to be dead."""
    mine = context.instance
    return tuple(
        run
        for run in context.runs.all()
        if (run.checkout, run.alive is False) == (mine.checkout, False)
        and run.id != context.run_id
        and (all_branches or run.instance == mine.id)
    )

"""``clean``: what this instance owns goes; ``clean.stale``: what no living checkout owns is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tasklib.claims import Claims, lives
from tasklib.errors import StackError
from tasklib.records import Images, Kept, Runs
from tasklib.stacks.containers import PROJECT_LABEL, Resource
from tasklib.stacks.context import RunContext
from tasklib.stacks.engine import Engine
from tasklib.stacks.infra import own_projects, remove_project
from tasklib.stacks.labels import CHECKOUT, HOST, INSTANCE
from tasklib.state import State

__all__ = ["Stale", "clean", "find_stale", "owned_now", "remove_stale", "summary"]


def owned_now(context: RunContext, *, all_branches: bool) -> tuple[Resource, ...]:
    """What :func:`clean` would remove."""
    instance = context.instance
    labels = {CHECKOUT: instance.checkout, HOST: instance.host}
    if not all_branches:
        labels[INSTANCE] = instance.id
    return (*context.engine.owned(labels), *context.engine.images(_tags(context, all_branches)))


def clean(context: RunContext, *, force: bool, all_branches: bool) -> tuple[Resource, ...]:
    """Remove all that this instance (this checkout) owns; returns what went.

    Raises :class:`~tasklib.errors.StackError` while a run holds any of it, unless ``force``.
    """
    others = [
        run
        for run in context.runs.all()
        if run.checkout == context.instance.checkout
        and run.id != context.run_id
        and run.alive is not False
        and (all_branches or run.instance == context.instance.id)
    ]
    if others and not force:
        raise StackError(
            f"`{others[0].command}` (pid {others[0].process.pid}) is running on this instance",
            remedy="Wait for it, or `--force` to remove what it uses.",
        )
    found = owned_now(context, all_branches=all_branches)
    # Sizes are known only while things exist; asking is slow and not worth it for nothing.
    sizes = {r.id: r.size for r in context.engine.sized(found)} if found else {}
    gone: list[Resource] = []
    for project in own_projects(context, all_branches=all_branches):
        gone += remove_project(context, project, force=force)
    gone += context.engine.remove([resource for resource in found if resource.kind == "image"])
    for project, checkout in list(context.images.all()):
        if checkout == context.instance.checkout and (all_branches or _is_of(context, project)):
            context.images.forget(project, checkout)
    return tuple(replace(resource, size=sizes.get(resource.id, 0)) for resource in gone)


def _tags(context: RunContext, all_branches: bool) -> list[str]:
    return [
        tag
        for (project, checkout), tags in context.images.all().items()
        if checkout == context.instance.checkout and (all_branches or _is_of(context, project))
        for tag in sorted(tags)
    ]


def _is_of(context: RunContext, project: str) -> bool:
    return project.partition("_")[0] == context.instance.project()


@dataclass(frozen=True)
class Stale:
    """Something whose checkout is gone: the Compose project, why it is stale, and what there is of it."""

    project: str
    why: str
    resources: tuple[Resource, ...]


def find_stale(engine: Engine, state: State, host: str) -> tuple[Stale, ...]:
    """What this user's checkouts left on the engine and no living checkout owns.

    Stacks of living runs and of checkouts that still exist are alive; so is what another user or machine
    made, which carries another host label.
    """
    claims = {claim.checkout: claim for claim in Claims(state, engine.facts.id).all()}
    kept = {stack.checkout: stack.root for stack in Kept(state, engine.facts.id).all()}
    running = {run.checkout for run in Runs(state, engine.facts.id).all() if run.alive is not False}
    by_project: dict[tuple[str, str], list[Resource]] = {}
    for resource in engine.owned({HOST: host, CHECKOUT: ""}):
        key = (resource.labels.get(PROJECT_LABEL, resource.name), resource.labels[CHECKOUT])
        by_project.setdefault(key, []).append(resource)
    for (project, checkout), tags in Images(state, engine.facts.id).all().items():
        by_project.setdefault((project, checkout), []).extend(engine.images(sorted(tags)))
    found = []
    for (project, checkout), resources in sorted(by_project.items()):
        if checkout in running or not resources:
            continue
        claim = claims.get(checkout)
        if claim is None:
            why = "its checkout is not known here" if checkout not in kept else f"{kept[checkout]} is gone"
        elif lives(claim) is False:
            why = f"{claim.root} is gone"
        else:
            continue
        found.append(Stale(project, why, tuple(resources)))
    return tuple(found)


def remove_stale(engine: Engine, state: State, stale: Iterable[Stale]) -> tuple[Resource, ...]:
    """Remove what :func:`find_stale` found and forget its records; returns what went."""
    kept, images = Kept(state, engine.facts.id), Images(state, engine.facts.id)
    gone: list[Resource] = []
    for entry in stale:
        gone += engine.remove(engine.sized(entry.resources))
        kept.discard(entry.project)
        for project, checkout in list(images.all()):
            if project == entry.project:
                images.forget(project, checkout)
    return tuple(gone)


def summary(resources: Sequence[Resource]) -> str:
    """``3 containers, 1 network, 2 images (12.5 MB)``."""
    counts: dict[str, int] = {}
    for resource in resources:
        counts[resource.kind] = counts.get(resource.kind, 0) + 1
    parts = [f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in counts.items()]
    size = sum(resource.size for resource in resources)
    return ", ".join(parts) + (f" ({size / 1e6:.1f} MB)" if size else "")

"""``clean.stale``: what checkouts left that are gone from the disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tasklib.instance.claim import owner
from tasklib.instance.claims import Claims
from tasklib.instance.whereabouts import whereabouts, why_gone
from tasklib.stacks.arbiter import EngineArbiter
from tasklib.stacks.cleaning.bakes import forget_bakes, unused_bakes
from tasklib.stacks.cleaning.owned import remove_images
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import FOLDER_LABEL, PROJECT_LABEL, Resource
from tasklib.stacks.images.ownership import ours_now
from tasklib.stacks.labels import CHECKOUT, HOST
from tasklib.stacks.leases import leased
from tasklib.stacks.plain import forget_plain
from tasklib.state.liveness import host_id
from tasklib.state.records import Checkouts, Images, Kept, Runs
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import State

__all__ = ["Stale", "find_stale", "remove_stale"]


class Stale(Struct, frozen=True):
    """What a checkout that is gone has of one Compose project, and why it counts as gone.

    A bake belongs to no checkout (""): its tag stands for the project.
    """

    project: str
    checkout: str
    why: str
    resources: tuple[Resource, ...]


def find_stale(engine: Engine, state: State) -> tuple[Stale, ...]:
    """What checkouts of this user on this machine left that are gone from the disk, with sizes.

    Only a folder that was seen and is not there any more, or holds another checkout now, makes something
    stale: where nothing is known of a checkout, it is taken to live. A checkout with a run is never stale.
    """
    found: dict[tuple[str, str], list[Resource]] = {}
    for resource in engine.owned({HOST: owner(state)}):
        project, checkout = resource.labels.get(PROJECT_LABEL, ""), resource.labels.get(CHECKOUT, "")
        if project and checkout:
            found.setdefault((project, checkout), []).append(resource)
    images = Images(state, engine.facts.id)
    for project, checkout in images.all():
        tags = ours_now(engine, images, project, checkout, owner(state))
        found.setdefault((project, checkout), []).extend(engine.images(sorted(tags)))
    folders = _folders(state, engine)
    running = {run.checkout for run in Runs(state, engine.facts.id).all() if run.alive is not False}
    stale = []
    for (project, checkout), resources in sorted(found.items()):
        folder = folders.get(checkout)
        why = why_gone(checkout, folder) if folder else _why_by_labels(resources)
        if resources and why and checkout not in running | leased(engine):
            stale.append(Stale(project, checkout, why, tuple(resources)))
    gone = {checkout: why for checkout, folder in folders.items() if (why := why_gone(checkout, folder))}
    for bake, why, baked in unused_bakes(engine, state, gone):
        stale.append(Stale(bake.tag, "", why, baked))
    sized = {(r.kind, r.id): r for r in engine.sized(r for s in stale for r in s.resources)} if stale else {}
    return tuple(replace(s, resources=tuple(sized[r.kind, r.id] for r in s.resources)) for s in stale)


def remove_stale(engine: Engine, state: State, stale: Iterable[Stale]) -> tuple[Resource, ...]:
    """Remove what :func:`find_stale` found and forget its records; returns what went.

    What is in use all the same is left alone.
    """
    kept, images = Kept(state, engine.facts.id), Images(state, engine.facts.id)
    claims, checkouts = Claims(state, engine.facts.id), Checkouts(state, host_id())
    gone: list[Resource] = []
    for entry in stale:
        lock = StackLock(state, engine.facts.id, entry.project)
        if not lock.try_acquire():
            continue
        try:
            removed = [*engine.remove([r for r in entry.resources if r.kind != "image"])]
            removed += remove_images(engine, [r for r in entry.resources if r.kind == "image"])
        finally:
            lock.release()
        gone += removed
        if not entry.checkout:
            forget_bakes(engine, state, [entry.project])
            continue
        record = kept.get(entry.project)
        if record and record.checkout == entry.checkout:
            kept.discard(entry.project)
        if len(removed) == len(entry.resources):
            images.forget(entry.project, entry.checkout)
            forget_plain(state, entry.checkout, {entry.project}.__contains__)
        for claim in claims.of_checkout(entry.checkout):
            claims.release(claim.instance, EngineArbiter(engine))
        if not claims.of_checkout(entry.checkout):
            checkouts.forget(entry.checkout)
    return tuple(gone)


def _folders(state: State, engine: Engine) -> Mapping[str, str]:
    """Where each checkout was last seen, by all that was written down of it."""
    written: dict[str, str] = {}
    for run in Runs(state, engine.facts.id).all():
        written[run.checkout] = run.root
    for stack in Kept(state, engine.facts.id).all():
        written[stack.checkout] = stack.root
    for claim in Claims(state, engine.facts.id).all():
        if claim.host == owner(state):
            written[claim.checkout] = claim.root
    return written | {seen.checkout: whereabouts(seen) for seen in Checkouts(state, host_id()).all()}


def _why_by_labels(resources: Iterable[Resource]) -> str:
    """The same where our records are lost: containers name the folder of their Compose file."""
    folders = {resource.labels.get(FOLDER_LABEL, "") for resource in resources} - {""}
    gone = sorted(folder for folder in folders if not Path(folder).is_dir())
    return f"{gone[0]} is gone" if gone and len(gone) == len(folders) else ""

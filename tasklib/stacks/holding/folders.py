"""Folders with data in the checkout: no stack starts on one that something else on the engine writes.

The stacks of one run take turns by themselves. What another run has up, a user keeps or somebody started by
hand is known to the engine alone: which running containers may write where. Asking and starting are one step,
under a lock, so that of two runs that ask at once the second sees the first.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from tasklib import process
from tasklib.errors import StackError
from tasklib.files.lock import Lock
from tasklib.options.caller import hint
from tasklib.stacks.engine.values import WritableMount
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.preparation import Prepared
from tasklib.stacks.servers import known_server
from tasklib.stacks.written import written_in_common, written_mounts
from tasklib.state.store import State

__all__ = ["alone_in_folders", "in_the_way"]

_INSTEAD = "or give each a folder of its own"


@contextlib.contextmanager
def alone_in_folders(context: RunContext, prepared: Prepared, cancel: process.Cancel) -> Iterator[None]:
    """While this lasts, no other stack of the checkout starts on the folders with data that ``prepared`` has.

    Waits for what other runs have up there. Raises :class:`~tasklib.errors.StackError` for what stays up and
    has a known data store's files there too; other common folders are said.
    """
    if not prepared.writes:
        yield
        return
    lock = _lock(context)
    told = set[str]()
    while True:
        lock.acquire(cancel)
        try:
            found = _others(context, prepared)
            waits_for = next((mount for mount in found if _is_in_use(context, mount.project)), None)
            if waits_for is None:
                _judge(context, prepared, found, told)
                yield
                return
        finally:
            lock.release()
        _wait(context, prepared, waits_for, cancel)


def in_the_way(
    mounts: Iterable[WritableMount], folders: Collection[Path], mine: Collection[str]
) -> tuple[WritableMount, ...]:
    """PURE but for links: those of containers of other projects than ``mine`` that write into ``folders``."""
    return tuple(
        mount
        for mount in mounts
        if mount.project not in mine and written_in_common([Path(mount.source).resolve()], folders)
    )


def _others(context: RunContext, prepared: Prepared) -> tuple[WritableMount, ...]:
    run = context.runs.get(context.run_id)
    mine = {prepared.project, *(run.projects if run else ())}
    return in_the_way(context.engine.writable_mounts(), prepared.writes, mine)


def _judge(context: RunContext, prepared: Prepared, found: Iterable[WritableMount], told: set[str]) -> None:
    """Refuse what would ruin a store's files; say what else several write."""
    for mount in found:
        folder = _common(context, prepared, mount)
        whose = mount.project or f"the container {mount.container}"
        kept = context.kept.get(mount.project)
        end = f"Take {whose} down first" + (f" (`{hint('infra.down')}`)" if kept else "")
        if _is_store(mount.image, mount.target) or _stores(prepared, mount):
            what = f"{prepared.plan.title} and {whose} both have their data in {folder}, and {whose} is up"
            raise StackError(what, remedy=f"{end}, {_INSTEAD}.")
        if whose not in told:
            told.add(whose)
            context.notice(f"{prepared.plan.title} and {whose}, which is up, both write into {folder}")


def _stores(prepared: Prepared, mount: WritableMount) -> bool:
    """Whether a data store of ours has its files where ``mount`` is."""
    theirs = [Path(mount.source).resolve()]
    return any(
        name in prepared.servers
        and _covers(prepared.servers[name].data, target)
        and written_in_common([source], theirs)
        for name, source, target in written_mounts(prepared.config)
    )


def _is_store(image: str, target: str) -> bool:
    server = known_server(image)
    return server is not None and _covers(server.data, target)


def _covers(folders: Collection[str], target: str) -> bool:
    """Whether ``target`` is one of ``folders``, in one, or around one."""
    path = posixpath.normpath(target)
    return any(path == f or path.startswith(f"{f}/") or f.startswith(f"{path}/") for f in folders)


def _is_in_use(context: RunContext, project: str) -> bool:
    """Whether a run that lives, or its reaper, has ``project``."""
    if not project:
        return False
    lock = context.lock(project)
    free = lock.try_acquire()
    lock.release()
    return not free


def _wait(context: RunContext, prepared: Prepared, mount: WritableMount, cancel: process.Cancel) -> None:
    folder = _common(context, prepared, mount)
    lock = context.lock(mount.project)
    what = f"{prepared.plan.title} waits for {mount.project}, which writes into {folder} too"
    lock.acquire(cancel, lambda user: context.tell_waiting(mount.project, user, f"{what}, in use by {user}"))
    lock.release()


def _common(context: RunContext, prepared: Prepared, mount: WritableMount) -> str:
    folders = written_in_common([Path(mount.source).resolve()], prepared.writes)
    return ", ".join(sorted(os.path.relpath(folder, context.project.root) for folder in folders))


def _lock(context: RunContext) -> Lock:
    name = State.name("folders", context.engine.facts.id, context.instance.checkout).replace("/", "~")
    return Lock(context.state.root / "locks" / f"{name}.lock", context.user)

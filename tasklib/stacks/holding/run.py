"""What a run holds while it has stacks: the engine, its instance's claim, its record and its reaper."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from tasklib import process
from tasklib.checkout import find_checkout
from tasklib.errors import EngineError, TasklibError, UsageError
from tasklib.events import Event, Notice
from tasklib.files.lock import User, this_process
from tasklib.instance.claim import Holder, Resolved
from tasklib.instance.claims import Claims
from tasklib.instance.identity import INSTANCE_ID, exports
from tasklib.instance.resolution import resolve
from tasklib.instance.whereabouts import note
from tasklib.isolation import Instance
from tasklib.project import Project
from tasklib.reach import Way
from tasklib.stacks.address import named_environment
from tasklib.stacks.arbiter import EngineArbiter
from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.holding.sweep import expire, sweep
from tasklib.stacks.leases import Lease, sweep_leases
from tasklib.stacks.reaper.client import Reaper
from tasklib.state.liveness import current
from tasklib.state.records import Images, Kept, Origin, Run, Runs
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import State, default_state

__all__ = ["RunContext", "open_context"]

_RUNS = "TASKLIB_RUNS"
"""In the environment of tests: the ids of the runs they are part of, the outermost first."""


class RunContext(Struct, frozen=True):
    """One run's hold on the engine. Made by :func:`open_context`; safe to share by threads.

    ``instance`` is the one that was claimed, where anything is; ``connection`` is ``None`` in a run
    without an engine, ``watcher`` in one that holds nothing.
    """

    project: Project
    instance: Instance
    exports: Mapping[str, str]
    state: State
    run_id: str
    command: str
    outer_runs: tuple[str, ...] = ()
    emit: Callable[[Event], None] = lambda event: None
    connection: Engine | None = None
    watcher: Reaper | None = None
    listed: str = ""
    """What the project's list calls the engine, where it has one."""

    @property
    def engine(self) -> Engine:
        if self.connection is None:
            raise EngineError("this run was started without an engine")
        return self.connection

    @property
    def reaper(self) -> Reaper:
        if self.watcher is None:
            raise EngineError("this run was started to hold nothing")
        return self.watcher

    def notice(self, text: str) -> None:
        self.emit(Notice(text, "warning"))

    # -- what held stacks need ---------------------------------------------------------------------------

    @property
    def runs(self) -> Runs:
        return Runs(self.state, self.engine.facts.id)

    @property
    def kept(self) -> Kept:
        return Kept(self.state, self.engine.facts.id)

    @property
    def images(self) -> Images:
        return Images(self.state, self.engine.facts.id)

    @property
    def environment(self) -> Mapping[str, str]:
        """What the tests of this run get besides their endpoints."""
        return {**self.exports, _RUNS: ":".join([*self.outer_runs, self.run_id])}

    def built(self, project: str, tags: Iterable[str]) -> None:
        """``tags`` are about to be built for ``project``, or to lose their names (ids of images).

        Of what lost its name earlier, that goes which no container uses any more.
        """
        known = self.images.of(project, self.instance.checkout)
        self.images.add(project, self.instance.checkout, tags)
        if nameless := {tag for tag in known if tag.startswith("sha256:")} - set(tags):
            found = self.engine.images(nameless)
            left = {image.id for image in found} - {image.id for image in self.engine.remove(found)}
            self.images.forget(project, self.instance.checkout, nameless - left)

    def origin(self, project: str, tag: str) -> Origin | None:
        """What the image ``tag`` was last built from, where that is known."""
        return self.images.origin(project, self.instance.checkout, tag)

    def built_id(self, project: str, tag: str) -> str | None:
        """The id of what was last built for ``project`` under ``tag``, "" where that is not known."""
        checkout = self.instance.checkout
        cut_off = "" if tag in self.images.of(project, checkout) else None
        return self.images.ids(project, checkout).get(tag, cut_off)

    def remember(self, project: str, ids: Mapping[str, str], origins: Mapping[str, Origin]) -> None:
        """The images of these tags were built, and from that."""
        self.images.remember(project, self.instance.checkout, ids, origins)

    def lock(self, project: str) -> StackLock:
        return StackLock(self.state, self.engine.facts.id, project, self.user)

    @property
    def user(self) -> User:
        """What others are told of whoever holds a lock of ours."""
        return User(self.run_id, self.command, os.getpid(), str(self.project.root))

    def tell_waiting(self, project: str, user: User, text: str) -> None:
        """Say ``text``, as we wait for ``user``, who has ``project``.

        Raises :class:`~tasklib.errors.UsageError` when we would wait for ourselves.
        """
        if user.run in self.outer_runs:
            raise UsageError(
                f"{project} is in use by the run that started this one: {user}",
                remedy=f"Give the inner run an instance of its own: set {INSTANCE_ID}.",
            )
        self.notice(text)

    def take_back(self, *, all_branches: bool = False) -> None:
        """End the claim of the variables that were given out (every one of the checkout), where nothing is
        left of it."""
        claims = Claims(self.state, self.engine.facts.id)
        mine = [claim.instance for claim in claims.of_checkout(self.instance.checkout)]
        for instance in mine if all_branches else [self.instance]:
            claims.withdraw(instance, EngineArbiter(self.engine))


@contextlib.contextmanager
def open_context(
    project: Project,
    emit: Callable[[Event], None] = lambda event: None,
    *,
    engine: bool = True,
    holds: bool = True,
    gives_out: bool = False,
    connected: DockerEngine | None = None,
    run_id: str = "",
    listed: str = "",
    first: bool = True,
) -> Iterator[RunContext]:
    """A run of ``project``; what dead runs left on the engine and on the disk goes first.

    One that ``holds`` nothing only looks or removes: it claims no id and is not in anyone's way. One that
    ``gives_out`` the instance claims it for whoever uses its variables afterwards. Without an engine, and
    where nothing is claimed, the instance is the best that is known.

    A run on several engines has one on each under the same ``run_id``: ``connected`` is that one, which is
    closed afterwards, ``listed`` what the project calls it; the ``first`` sees to the processes here.
    Raises :class:`~tasklib.errors.EngineError` without a usable engine.
    """
    process.sweep_scratch()
    state, run_id = default_state(), run_id or secrets.token_hex(8)
    command = this_process().command
    # Whoever only looks or removes need not get to any container.
    strict = holds or gives_out
    if engine and not connected:
        connected = DockerEngine.connect(project.reach, strict=strict)
    checkout = find_checkout(project.root)
    resolved = resolve(
        checkout,
        os.environ,
        prefix=project.prefix,
        folder=project.root,
        engine=connected.facts.id if connected else None,
        state=state,
    )
    reaper = _reaper(state, run_id, command, connected, children=first) if holds else None
    lease = _lease(connected, run_id, resolved.instance, reaper) if connected and reaper else None
    try:
        if connected and (holds or gives_out):
            resolved = _claim(resolved, state, connected, run_id if holds else "")
            note(state, checkout, resolved.instance.checkout, project.root)
        if lease:
            lease.claim(resolved.instance.project())
        context = RunContext(
            project,
            resolved.instance,
            exports(resolved.instance, resolved.identity.source),
            state,
            run_id,
            command,
            tuple(filter(None, os.environ.get(_RUNS, "").split(":"))),
            emit,
            connected,
            reaper,
            listed,
        )
        if connected:
            if holds:
                context.runs.start(_record(context))
                if connected.facts.reach.way is not Way.LOOPBACK:
                    name = f"engine {listed}" if listed else "engine"
                    emit(Notice(f"{name}: {connected.facts.reach}", "info"))
            for left in sweep(connected, state):
                context.notice(f"removed {left}, left by a run that was killed")
            for left in sweep_leases(connected):
                context.notice(f"removed {left}, whose run has not renewed its lease")
            for left in expire(connected, state):
                context.notice(f"removed {left}, which failed tests had left to be looked at")
        for notice in resolved.notices:
            context.notice(notice)
        yield context
    finally:
        if connected and (mended := connected.heart.mended):
            emit(Notice(mended, "warning"))
        if connected:
            _end(state, connected, resolved.instance, run_id)
        if lease:
            lease.close()
        if reaper:
            reaper.close()
        if connected:
            connected.close()


def _reaper(state: State, run_id: str, command: str, engine: Engine | None, *, children: bool) -> Reaper:
    # It is to find the engine that we found, whatever Docker's settings say by then.
    env = named_environment(address=engine.facts.address) if engine else None
    reaper = Reaper(state.made() / "reaper.log", env, children=children)
    if engine:
        reaper.introduce(
            run=run_id, engine=engine.facts.id, state=state.root, command=command, pid=os.getpid()
        )
    return reaper


def _lease(engine: Engine, run_id: str, instance: Instance, reaper: Reaper) -> Lease | None:
    """The run's lease, where others on the engine could not tell whether it lives."""
    if not engine.facts.reach.leased:
        return None
    lease = Lease(engine, run_id, instance.checkout, instance.host, lambda: reaper.stacks)
    reaper.changed = lease.renew
    return lease


def _claim(resolved: Resolved, state: State, engine: Engine, run_id: str) -> Resolved:
    """Claim the instance for this run, or ("") beyond it for plain Compose."""
    claims = Claims(state, engine.facts.id)
    holder = Holder(run_id, current()) if run_id else None
    return claims.claim(resolved, EngineArbiter(engine), holder, exported=holder is None)


def _record(context: RunContext) -> Run:
    instance = context.instance
    root = str(context.project.root)
    return Run(context.run_id, current(), instance.checkout, instance.id, root, command=context.command)


def _end(state: State, engine: Engine, instance: Instance, run_id: str) -> None:
    """Give back the claim and the record, unless something of the run is left: the next run sees to it."""
    runs = Runs(state, engine.facts.id)
    record = runs.get(run_id)
    if record and record.projects:
        return
    with contextlib.suppress(TasklibError):
        Claims(state, engine.facts.id).release(instance, EngineArbiter(engine), run_id)
    if record:
        runs.finish(run_id)

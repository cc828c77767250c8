"""What a run holds while it has stacks: the engine, its instance's claim, its record and its reaper."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasklib import process
from tasklib.checkout import find_checkout
from tasklib.claims import Claims, Holder, Resolved, resolve
from tasklib.errors import EngineError, Interrupted, TasklibError, UsageError
from tasklib.events import ContainerLog, Event, Notice
from tasklib.identity import INSTANCE_ID, exports
from tasklib.isolation import Instance
from tasklib.liveness import current, host_id
from tasklib.project import Project
from tasklib.records import Checkouts, Images, Kept, KeptStack, Run, Runs
from tasklib.stacks.builds import Builds
from tasklib.stacks.containers import Resource
from tasklib.stacks.endpoints import Endpoint
from tasklib.stacks.engine import Engine
from tasklib.stacks.locks import StackLock, User
from tasklib.stacks.ownership import owners, sweep
from tasklib.stacks.preparation import StackPlan
from tasklib.stacks.reaper import Reaper
from tasklib.stacks.stack import Stack
from tasklib.state import State, default_state

__all__ = ["HeldStack", "RunContext", "open_context"]

_RUNS = "TASKLIB_RUNS"
"""In the environment of tests: the ids of the runs they are part of, the outermost first."""


class RunContext:
    """One run's hold on the engine. Made by :func:`open_context`; safe to share by threads."""

    def __init__(
        self,
        project: Project,
        resolved: Resolved,
        state: State,
        emit: Callable[[Event], None],
        engine: Engine | None = None,
    ) -> None:
        self.project = project
        self.instance: Instance = resolved.instance
        self.exports: Mapping[str, str] = exports(resolved.instance, resolved.identity.source)
        self.state = state
        self.run_id = secrets.token_hex(8)
        self.outer_runs: tuple[str, ...] = tuple(filter(None, os.environ.get(_RUNS, "").split(":")))
        self.command = shlex.join([Path(sys.argv[0] or "python").name, *sys.argv[1:]])
        self._engine = engine
        self._resolved = resolved
        self._emit = emit
        self._lock = threading.Lock()
        self._reaper: Reaper | None = None
        self._clean = True

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            raise EngineError("this run was started without an engine")
        return self._engine

    def hold(
        self,
        plan: StackPlan,
        *,
        keep: bool = False,
        say: Callable[[str], None] = lambda text: None,
        on_line: Callable[[str], None] = lambda line: None,
    ) -> HeldStack:
        """The stack of ``plan``, nothing of which exists yet on our account."""
        return HeldStack(self, Stack(plan, self.instance, self.engine, say=say, on_line=on_line), keep)

    def notice(self, text: str) -> None:
        self._emit(Notice(text, "warning"))

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

    def lock(self, project: str) -> StackLock:
        user = User(self.run_id, self.command, os.getpid(), str(self.project.root))
        return StackLock(self.state, self.engine.facts.id, project, user)

    def reaper(self) -> Reaper:
        with self._lock:
            if self._reaper is None:
                self._reaper = Reaper(self.state.root / "reaper.log")
                if self._engine:
                    self._reaper.introduce(
                        run=self.run_id,
                        engine=self._engine.facts.id,
                        state=self.state.root,
                        command=self.command,
                        pid=os.getpid(),
                    )
            return self._reaper

    def left_behind(self) -> None:
        """Something of ours could not be removed: the record of this run stays for the next one."""
        self._clean = False

    # -- opening and closing -----------------------------------------------------------------------------

    def begin(self) -> None:
        """Claim the instance and record the run."""
        self.reaper()
        facts = self.engine.facts
        claims = Claims(self.state, facts.id)
        me = current()
        self._resolved = claims.claim(self._resolved, self._owners, Holder(self.run_id, me))
        self.instance = self._resolved.instance
        self.exports = exports(self.instance, self._resolved.identity.source)
        Checkouts(self.state, host_id()).seen(self.instance.checkout, str(self.project.root))
        run = Run(
            self.run_id,
            me,
            self.instance.checkout,
            self.instance.id,
            str(self.project.root),
            command=self.command,
        )
        self.runs.start(run)

    def sweep(self) -> None:
        """Remove what dead runs left."""
        for project in sweep(self.engine, self.state):
            self.notice(f"removed {project}, left by a run that was killed")

    def end(self) -> None:
        """Give back the claim and the record, unless something of ours is left."""
        if self._engine and self._clean:
            with contextlib.suppress(TasklibError):
                Claims(self.state, self.engine.facts.id).release(self.instance, self._owners, self.run_id)
            if self._reaper:
                self.runs.finish(self.run_id)
        if self._reaper:
            self._reaper.close()
        if self._engine:
            self._engine.close()

    def _owners(self, project: str) -> frozenset[str]:
        return owners(self.engine, project)

    @property
    def notices(self) -> tuple[str, ...]:
        return self._resolved.notices


@contextlib.contextmanager
def open_context(
    project: Project,
    emit: Callable[[Event], None] = lambda event: None,
    *,
    engine: bool = True,
    holds: bool = True,
) -> Iterator[RunContext]:
    """A run of ``project``; what dead runs left on the engine goes first.

    One that ``holds`` nothing only looks or removes: it claims no id and is not in anyone's way. Without an
    engine, and where nothing is held, the instance is the best that is known.
    Raises :class:`~tasklib.errors.EngineError` without a usable engine.
    """
    state = default_state()
    checkout = find_checkout(project.root)
    connected = Engine.connect() if engine else None
    resolved = resolve(
        checkout,
        os.environ,
        prefix=project.prefix,
        folder=project.root,
        engine=connected.facts.id if connected else None,
        state=state,
    )
    context = RunContext(project, resolved, state, emit, connected)
    try:
        if connected and holds:
            context.begin()
        elif holds:
            context.reaper()
        if connected:
            context.sweep()
        for notice in context.notices:
            context.notice(notice)
        yield context
    finally:
        context.end()


class HeldStack:
    """A stack under its lock, on the run's record and under the reaper's eyes while it exists."""

    def __init__(self, context: RunContext, stack: Stack, keep: bool) -> None:
        self.project = stack.project
        self.touched = False
        """Whether something of it may exist on our account."""
        self._context = context
        self._stack = stack
        self._wanted = keep
        self._kept = False
        self._interrupted = False
        self._lock = context.lock(stack.project)

    @property
    def config(self) -> Mapping[str, Any]:
        return self._stack.config

    def prepare(self, cancel: process.Cancel) -> None:
        self._stack.prepare(cancel)

    def variables(self) -> Iterator[Mapping[str, str]]:
        """What may need hiding: see :meth:`~tasklib.stacks.preparation.Prepared.variables`."""
        return self._stack.prepared.variables()

    def build(self, builds: Builds, cancel: process.Cancel) -> None:
        self._stack.build(builds, cancel)

    def up(self, cancel: process.Cancel) -> tuple[Endpoint, ...]:
        """Bring up and wait, once whoever uses the stack now has let go of it.

        A stack that was kept is brought up to date and stays kept; anything else of that name is leftover
        and goes first. Raises :class:`~tasklib.errors.UsageError` when we would wait for ourselves.
        """
        context = self._context
        self._lock.acquire(cancel, self._wait_for)
        self.touched = True
        context.runs.add(context.run_id, self.project)
        self._kept = self._is_kept()
        if not self._kept:
            context.reaper().watch(self.project, self._stack.labels, self._lock)
            self._stack.down()
        try:
            found = self._stack.up(cancel)
        except Interrupted:
            self._interrupted = True
            raise
        context.reaper().ready(self.project)
        if self._wanted:
            self.keep()
        return found

    def keep(self) -> None:
        """The stack outlives this run on purpose, from now on and whatever ends the run."""
        if self._kept:
            return
        context, instance = self._context, self._context.instance
        context.kept.add(KeptStack(self.project, instance.checkout, instance.id, str(context.project.root)))
        context.reaper().spare(self.project)
        self._kept = True

    def endpoints(self) -> tuple[Endpoint, ...]:
        return self._stack.endpoints()

    def logs(self, *, since: float = 0.0) -> tuple[ContainerLog, ...]:
        return self._stack.logs(since=since)

    def close(self) -> None:
        """Take it down, or leave it to the user; nothing happens to a stack that was never touched.

        One that was to be kept and did not become ready stays for the user to look at. Raises
        :class:`~tasklib.errors.TasklibError` when it cannot be removed now; the reaper goes on then.
        """
        if not self.touched:
            return
        context = self._context
        left: tuple[Resource, ...] = ()
        try:
            if self._wanted and not self._interrupted:
                self.keep()
            if not self._kept:
                left = self._stack.down()
                context.reaper().spare(self.project)
        except TasklibError:
            context.left_behind()
            self._lock.hand_over()
            raise
        self._lock.release()
        if left:
            names = ", ".join(f"{resource.kind} {resource.name}" for resource in left)
            context.notice(f"could not remove {names}: something else uses it; the next run tries again")
            context.left_behind()
        else:
            context.runs.discard(context.run_id, self.project)

    def _is_kept(self) -> bool:
        """Whether a run before us kept it and it is still there."""
        kept = self._context.kept.get(self.project)
        if kept is None or kept.checkout != self._context.instance.checkout:
            return False
        if self._context.engine.owned(self._stack.labels):
            return True
        self._context.kept.discard(self.project)
        return False

    def _wait_for(self, user: User) -> None:
        if user.run in self._context.outer_runs:
            raise UsageError(
                f"{self.project} is in use by the run that started this one: {user}",
                remedy=f"Give the inner run an instance of its own: set {INSTANCE_ID}.",
            )
        self._context.notice(f"waiting for {self.project}, which is in use by {user}")

"""A held stack as one target sees it, and the phases that are measured on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tasklib import process
from tasklib.errors import Interrupted, TasklibError
from tasklib.events import Event, Notice, PhaseFinished, PhaseStarted
from tasklib.pipeline.commons import Commons
from tasklib.pipeline.databases import keep_databases
from tasklib.pipeline.turns import Turns, known_memory
from tasklib.project import Project
from tasklib.results import ContainerLog, Phase, Target
from tasklib.stacks.endpoints import endpoint_variables
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.plain import plain_compose
from tasklib.stacks.stack import Stack
from tasklib.state.store import State

__all__ = ["Phases", "TargetStack"]

_SOON = 2.0
"""Seconds that creating containers is given to end when nobody needs them any more."""


class Phases:
    """Measures the phases of a target and tells of their beginning and end."""

    def __init__(self, target: Target, emit: Callable[[Event], None]) -> None:
        self.target = target
        self.emit = emit
        self._seconds: dict[Phase, float] = {}

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        began = time.monotonic()
        self.emit(PhaseStarted(self.target, phase))
        try:
            yield
        finally:
            self._seconds[phase] = self._seconds.get(phase, 0.0) + time.monotonic() - began
            self.emit(PhaseFinished(self.target, phase))

    @property
    def seconds(self) -> Mapping[Phase, float]:
        return MappingProxyType(dict(self._seconds))


class TargetStack:
    """A held stack as one target (the first of its stage) sees it; each step happens once, on demand."""

    def __init__(
        self,
        held: HeldStack,
        builds: Builds,
        phases: Phases,
        turns: Turns,
        commons: Commons,
        cancel: process.Cancel,
        *,
        last: bool = False,
        stays: bool = False,
    ) -> None:
        """``last``: it is the one that waits for what others of ``commons`` write.

        ``stays`` is whether somebody else closes what is held.
        """
        self._stays = stays
        self.phases = phases
        self._turns = turns
        self._commons = commons
        self._last = last
        self._held = held
        self._builds = builds
        self._cancel = process.Cancel(cancel)
        self._kept_databases = False
        self._born = ""
        self._writes: frozenset[Path] = frozenset()
        self.memory = 0
        """Bytes that its containers are known to take; 0 where it could not be prepared."""
        self.writable: frozenset[Path] = frozenset()
        """All folders of the checkout that it may write; none where it could not be prepared."""
        self.prepare = _Once(self._prepare)
        """Render, isolate and build. Raises :class:`~tasklib.errors.TasklibError`."""
        self.create = _Once(self._create)
        """Prepare, and make the containers. Raises :class:`~tasklib.errors.TasklibError`."""
        self.up = _Once(self._bring_up)
        """Bring up and wait. Raises :class:`~tasklib.errors.TasklibError`."""
        self.close = _Once(self._close)
        """Take the stack down, unless it is kept; a step under way in another thread is ended."""
        if not last:
            commons.expect(self)

    @property
    def title(self) -> str:
        return self._held.stack.plan.title

    @property
    def context(self) -> RunContext:
        """The run's hold on the engine that it is on."""
        return self._held.context

    @property
    def writes(self) -> frozenset[Path]:
        """The folders with data in the checkout that it writes; none where it could not be prepared."""
        return self._writes

    def _prepare(self) -> None:
        with self.phases.phase(Phase.BUILD):
            self._held.stack.prepare(self._cancel)
            self.writable, self._writes = self.stack.prepared.writable, self.stack.prepared.writes
            self.memory = known_memory(self.stack.prepared.config)
            self._held.stack.build(self._builds, self._cancel)

    def _create(self) -> None:
        self.prepare()
        if self._held.take_ahead(self._cancel):
            with self.phases.phase(Phase.BUILD):
                self._held.stack.create(self._cancel)

    def _bring_up(self) -> None:
        self.create()
        self._commons.enter(self, self._cancel, last=self._last)
        self._held.up(self._cancel, self._turn)
        self._born = self.context.engine.born()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._turns.turn(self.phases.target, self.memory), self.phases.phase(Phase.START):
            yield

    def variables(self, project: Project, state: State) -> dict[str, str]:
        """The endpoints as they are now, and how plain Compose finds the stack."""
        source = str(project.config) if project.config else None
        stack = self._held.stack
        reachable = endpoint_variables(
            stack.prepared.config,
            stack.endpoints(),
            project.endpoints,
            source=source,
            servers=stack.prepared.servers,
            text_of=stack.prepared.text_of,
        )
        return reachable | dict(plain_compose(stack.prepared, state))

    def keep_databases(self, project: Project, engine: Engine) -> None:
        """Once: see :func:`~tasklib.pipeline.databases.keep_databases`."""
        if not self._kept_databases:
            self._kept_databases = True
            with self.phases.phase(Phase.START):
                keep_databases(self._held, project, engine, self._notice, set_up=True)

    def _notice(self, text: str) -> None:
        self.phases.emit(Notice(text, "warning", self.phases.target))

    @property
    def since(self) -> float | None:
        """When its data was new, where a run before this one kept it (epoch seconds)."""
        return self._held.since

    def keep_failed(self, seconds: float) -> float | None:
        """See :meth:`~tasklib.stacks.holding.held_stack.HeldStack.keep_failed`."""
        return self._held.keep_failed(seconds)

    @property
    def stack(self) -> Stack:
        """The stack itself."""
        return self._held.stack

    def logs(self, since: float) -> tuple[ContainerLog, ...]:
        try:
            return self._held.stack.logs(since=since)
        except TasklibError:
            return ()

    def forgot(self) -> tuple[str, ...]:
        """The services that lost their data since the stack came up."""
        try:
            return self._held.stack.forgot()
        except TasklibError:
            return ()

    def ended(self) -> tuple[str, ...]:
        """Lines that say which services have ended since the stack came up."""
        try:
            return self._held.stack.ended()
        except TasklibError:
            return ()

    def outlived_engine(self) -> bool:
        """Whether its engine has started anew since the stack came up."""
        try:
            return self.context.engine.born() != self._born
        except TasklibError:
            return False

    def starved(self) -> tuple[str, ...]:
        """The services that memory did not suffice for."""
        try:
            return self._held.stack.starved()
        except TasklibError:
            return ()

    def _close(self) -> None:
        try:
            if self._held.touched:
                # The engine would go on creating for a client that is ended: better it is done.
                self.create.wait(_SOON)
            self._cancel.set("not needed any more")
            for step in (self.prepare, self.create, self.up):
                step.forbid()
            # One that writes a folder that others of the run may write, too, makes room.
            if self._held.touched and not (self._stays and not self.writes):
                with self.phases.phase(Phase.CLEAN):
                    self._held.close()
        finally:
            self._commons.leave(self)


class _Once:
    """A step that is done by whoever asks first; everyone else waits and gets the same outcome."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._future: Future[None] | None = None

    def __call__(self) -> None:
        with self._lock:
            mine = self._future is None
            if self._future is None:
                self._future = Future()
            future = self._future
        if mine:
            try:
                self._work()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(None)
        future.result()

    def wait(self, seconds: float) -> None:
        """Until it is not under way, but no longer than ``seconds``."""
        with self._lock:
            future = self._future
        if future:
            wait([future], seconds)

    def forbid(self) -> None:
        """Let nobody start it any more; returns once it is not under way."""
        with self._lock:
            future = self._future
            if future is None:
                self._future = Future()
                self._future.set_exception(Interrupted("not needed any more"))
                return
        future.exception()

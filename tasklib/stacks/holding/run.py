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

from tasklib.checkout import find_checkout
from tasklib.errors import EngineError, TasklibError
from tasklib.events import Event, Notice
from tasklib.instance.claims import Claims, Holder, Resolved, resolve
from tasklib.instance.identity import exports
from tasklib.isolation import Instance
from tasklib.project import Project
from tasklib.stacks.engine.docker_engine import DockerEngine
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.holding.sweep import owners, sweep
from tasklib.stacks.reaper.client import Reaper
from tasklib.state.liveness import current, host_id
from tasklib.state.records import Checkouts, Images, Kept, Origin, Run, Runs
from tasklib.state.stack_lock import StackLock, User
from tasklib.state.store import State, default_state

__all__ = ["RunContext", "open_context"]

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

    def origin(self, project: str, tag: str) -> Origin | None:
        """What the image ``tag`` was last built from, where that is known."""
        return self.images.origin(project, self.instance.checkout, tag)

    def remember(self, project: str, origins: Mapping[str, Origin]) -> None:
        """The images of these tags were built from that."""
        self.images.remember(project, self.instance.checkout, origins)

    def lock(self, project: str) -> StackLock:
        user = User(self.run_id, self.command, os.getpid(), str(self.project.root))
        return StackLock(self.state, self.engine.facts.id, project, user)

    def reaper(self) -> Reaper:
        with self._lock:
            if self._reaper is None:
                self._reaper = Reaper(self.state.made() / "reaper.log")
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
        me = current()
        self._claim(Holder(self.run_id, me))
        run = Run(
            self.run_id,
            me,
            self.instance.checkout,
            self.instance.id,
            str(self.project.root),
            command=self.command,
        )
        self.runs.start(run)

    def give_out(self) -> None:
        """Claim the instance for plain Compose, beyond this run and before anything of it is up."""
        self._claim(exported=True)

    def take_back(self, *, all_branches: bool = False) -> None:
        """End the claim of :meth:`give_out` (every one of the checkout), where nothing is left of it."""
        claims = Claims(self.state, self.engine.facts.id)
        mine = [claim.instance for claim in claims.of_checkout(self.instance.checkout)]
        for instance in mine if all_branches else [self.instance]:
            claims.withdraw(instance, self._owners)

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

    def _claim(self, holder: Holder | None = None, *, exported: bool = False) -> None:
        claims = Claims(self.state, self.engine.facts.id)
        self._resolved = claims.claim(self._resolved, self._owners, holder, exported=exported)
        self.instance = self._resolved.instance
        self.exports = exports(self.instance, self._resolved.identity.source)
        Checkouts(self.state, host_id()).seen(self.instance.checkout, str(self.project.root))

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
    gives_out: bool = False,
) -> Iterator[RunContext]:
    """A run of ``project``; what dead runs left on the engine goes first.

    One that ``holds`` nothing only looks or removes: it claims no id and is not in anyone's way. One that
    ``gives_out`` the instance claims it for whoever uses its variables afterwards. Without an engine, and
    where nothing is claimed, the instance is the best that is known.
    Raises :class:`~tasklib.errors.EngineError` without a usable engine.
    """
    state = default_state()
    checkout = find_checkout(project.root)
    connected = DockerEngine.connect() if engine else None
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
        elif connected and gives_out:
            context.give_out()
        elif holds:
            context.reaper()
        if connected:
            context.sweep()
        for notice in context.notices:
            context.notice(notice)
        yield context
    finally:
        context.end()

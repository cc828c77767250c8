"""Starting a stack and following it until it is ready, lost or late."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from tasklib import process
from tasklib.errors import TasklibError
from tasklib.listener import Listener
from tasklib.results import ContainerLog, LogLine
from tasklib.shown.cutting import shorten, without_middle
from tasklib.shown.masking import mask, masked
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import Container
from tasklib.stacks.engine.watch import Watch
from tasklib.stacks.starting.probes import Probes
from tasklib.stacks.starting.proofs import Proofs
from tasklib.stacks.starting.readiness import lost
from tasklib.stacks.starting.steps import (
    Again,
    Broken,
    Done,
    Gone,
    Late,
    Look,
    Lost,
    Seen,
    StartPlan,
    Wait,
    next_step,
)

__all__ = ["Startup", "read_logs"]

_LOOK = 0.05
"""Seconds between two looks while something is awaited that the engine does not report (an open port)."""

_LONGEST = 4000
"""Characters of a line of a log."""

_QUIET = 1.0
"""Seconds after which containers are looked at although the engine reported nothing."""


class Startup:
    """The way of one Compose project from nothing to ready: looks, has it decided what to do, and does it."""

    def __init__(
        self,
        engine: Engine,
        plan: StartPlan,
        launch: Callable[[process.Cancel], None],
        listener: Listener,
        *,
        proofs: Proofs | None = None,
    ) -> None:
        """``launch(cancel)`` creates the containers of ``plan``, and starts them where we do not."""
        self._engine = engine
        self._plan = plan
        self._launch = launch
        self._listener = listener
        self._proofs = proofs or Proofs(
            engine.facts, plan.servers, programs=lambda container: engine.processes(container.id)
        )
        self._pending: set[str] = set()
        self._starting: dict[tuple[str, str], Future[None]] = {}
        self._again: dict[str, int] = {}
        self._alone: dict[str, int] = {}

    def follow(self, cancel: process.Cancel) -> tuple[Container, ...]:
        """Launch and wait; returns the containers of the ready stack.

        Raises :class:`NotReady` as soon as success is out of reach, and after the time-out.
        """
        deadline = time.monotonic() + self._plan.timeout
        own = process.Cancel(cancel)
        with self._engine.watch(str(self._plan.config["name"])) as watch, ThreadPoolExecutor(8) as pool:
            probes = Probes(self._engine, own, watch.tell)
            there = self._containers(watch)
            self._proofs.know(there)
            before = frozenset(container.id for container in there)
            launching = self._submit(pool, watch, self._launch, own)
            looked = fresh = False
            try:
                while True:
                    launched = launching.done()
                    # All that was created has to be known before the first start.
                    fresh = fresh or (launched and not looked)
                    containers = probes.see(self._containers(watch, fresh=fresh))
                    if launched and not looked and not launching.exception() and self._plan.starts:
                        self._pending = {c.id for c in containers if c.state in ("created", "exited")}
                    looked = launched
                    sight = self._proofs.see(containers)
                    for service, port in sight.silent:
                        self._listener.notice(f"{service}: nothing accepts connections on its port {port}")
                    seen = Seen(
                        sight.containers,
                        sight.lacks,
                        before,
                        launched,
                        launching.exception() if launched else None,
                        frozenset(self._pending),
                        frozenset(self._starting),
                        self._refused(watch),
                        dict(self._again),
                        self._alone,
                        fresh,
                        time.monotonic() > deadline,
                    )
                    fresh = False
                    match next_step(self._plan, seen):
                        case Done():
                            self._tell_missing(sight.containers)
                            return sight.containers
                        case Look():
                            fresh = True
                        case Again():
                            launching = self._submit(pool, watch, self._launch, own)
                        case Lost(container, why):
                            raise self._lost(container, why)
                        case Gone(services):
                            raise NotReady(self._cannot(f"somebody removed its {_containers_of(services)}"))
                        case Broken(error):
                            raise error
                        case Late(reasons):
                            raise self._late(reasons, self._containers(watch, fresh=True))
                        case Wait(start, awaited, polls, alone):
                            self._alone = {c.id: self._alone.get(c.id, c.restarts) for c in alone}
                            for container in start:
                                self._start(pool, watch, container)
                            self._listener.waits(", ".join(awaited[:3]))
                            self._wait(watch, polls, cancel)
            finally:
                own.set("the stack is gone")

    def _containers(self, watch: Watch, *, fresh: bool = False) -> tuple[Container, ...]:
        """Those of the config; a project may have others, which are not ours to start or to judge."""
        services = self._plan.config["services"]
        found = watch.containers(fresh=fresh)
        return tuple(container for container in found if container.service in services)

    def _tell_missing(self, containers: Iterable[Container]) -> None:
        """Say which services the others do without: what is lost and does not fail the start is optional."""
        for container in containers:
            if why := lost(container):
                self._listener.notice(f"{container.service} {why}: nothing requires it (`required: false`)")

    def _submit(
        self, pool: ThreadPoolExecutor, watch: Watch, work: Callable[..., None], *arguments: object
    ) -> Future[None]:
        future = pool.submit(work, *arguments)
        future.add_done_callback(lambda _: watch.tell())
        return future

    def _start(self, pool: ThreadPoolExecutor, watch: Watch, container: Container) -> None:
        if container.id not in self._pending or any(container.id == known for known, _ in self._starting):
            self._pending.add(container.id)
            self._again[container.id] = self._again.get(container.id, 0) + 1
        self._starting[container.life] = self._submit(pool, watch, self._engine.start, container.id)

    def _refused(self, watch: Watch) -> dict[str, str]:
        """Why the engine did not start what it was asked to; what it has started is not pending any more."""
        refused = {}
        for (container_id, _), starting in self._starting.items():
            if starting.done():
                if error := starting.exception():
                    refused[container_id] = error.what if isinstance(error, TasklibError) else str(error)
                elif container_id in self._pending and self._last(container_id) is starting:
                    self._pending.discard(container_id)
                    watch.tell(container_id)
        return refused

    def _last(self, container_id: str) -> Future[None]:
        return [future for (known, _), future in self._starting.items() if known == container_id][-1]

    def _wait(self, watch: Watch, polls: bool, cancel: process.Cancel) -> None:
        cancel.check()
        until = time.monotonic() + (_LOOK if polls else _QUIET)
        while not watch.wait(_LOOK) and time.monotonic() < until:
            cancel.check()

    def _lost(self, container: Container, why: str) -> NotReady:
        what = self._cannot(f"{container.service} {why}")
        said = container.health_output if container.health == "unhealthy" else ""
        return NotReady(what + _health(said), logs=read_logs(self._engine, [container], tail=10))

    def _cannot(self, why: str) -> str:
        return f"{self._plan.title} cannot become ready: {why}"

    def _late(self, reasons: Mapping[str, str], containers: Iterable[Container]) -> NotReady:
        waited = ", ".join(f"{name} ({why})" for name, why in reasons.items()) or "Compose"
        slow = [container for container in containers if container.service in reasons]
        said = next((c.health_output for c in slow if c.health_output), "")
        what = f"{self._plan.title} was not ready after {self._plan.timeout:g} s, waiting for {waited}"
        return NotReady(what + _health(said), logs=read_logs(self._engine, slow, tail=10))


def read_logs(
    engine: Engine, containers: Iterable[Container], *, since: float = 0.0, tail: int = 200
) -> tuple[ContainerLog, ...]:
    """The last ``tail`` lines of each container from ``since`` (seconds since the epoch) on."""
    read = ((c.service, masked(engine.logs(c.id, since=since, tail=tail))) for c in containers)
    return tuple(ContainerLog(service, tuple(map(_bounded, lines))) for service, lines in read if lines)


def _bounded(line: LogLine) -> LogLine:
    """``line``, without its middle if it is longer than anybody reads."""
    text = without_middle(line.text, _LONGEST, mark="[... {left} characters left out ...]")
    return line if text is line.text else LogLine(line.at, text)


def _containers_of(services: Sequence[str]) -> str:
    return f"{'container' if len(services) == 1 else 'containers'} of {', '.join(services)} while it started"


def _health(output: str) -> str:
    line = " ".join(mask(output).split())
    if not line:
        return ""
    return f"; its health check said: {shorten(line, 200)}"

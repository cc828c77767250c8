"""Starting a stack and following it until it is ready, lost or late."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from tasklib import process
from tasklib.errors import StackError, TasklibError
from tasklib.listener import Listener
from tasklib.results import ContainerLog
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import Container
from tasklib.stacks.engine.watch import Watch
from tasklib.stacks.rewrite import replica_count
from tasklib.stacks.starting import order, readiness
from tasklib.stacks.starting.probes import Probes

__all__ = ["Startup", "read_logs"]

_LOOK = 0.05
"""Seconds between two looks while something is awaited that the engine does not report (an open port)."""

_QUIET = 1.0
"""Seconds after which containers are looked at although the engine reported nothing."""


class Startup:
    """The way of one Compose project from nothing to ready."""

    def __init__(
        self,
        engine: Engine,
        config: Mapping[str, Any],
        launch: Callable[[process.Cancel], None],
        *,
        title: str,
        timeout: float,
        listener: Listener,
        starts: bool = True,
    ) -> None:
        """``launch(cancel)`` creates what is in ``config``, and starts it unless we do (``starts``)."""
        self._engine = engine
        self._config = config
        self._project = str(config["name"])
        self._launch = launch
        self._title = title
        self._timeout = timeout
        self._listener = listener
        self._starts = starts
        self._pending: set[str] = set()
        self._starting: dict[str, Future[None]] = {}

    def follow(self, cancel: process.Cancel) -> tuple[Container, ...]:
        """Launch and wait; returns the containers of the ready stack.

        Raises :class:`NotReady` as soon as success is out of reach, and after the time-out.
        """
        deadline = time.monotonic() + self._timeout
        own = process.Cancel(cancel)
        with self._engine.watch(self._project) as watch, ThreadPoolExecutor(8) as pool:
            probes = Probes(self._engine, own, watch.tell)
            before = {container.id for container in self._containers(watch)}
            launching = self._submit(pool, watch, self._launch, own)
            wanted = [name for name, service in self._config["services"].items() if replica_count(service)]
            looked = False
            try:
                while True:
                    launched = launching.done()
                    # All that was created has to be known before the first start.
                    containers = probes.see(self._containers(watch, fresh=launched and not looked))
                    if self._starts and launched and not launching.exception():
                        if not looked:
                            self._pending = {c.id for c in containers if c.state in ("created", "exited")}
                        self._start(pool, watch, containers)
                    looked = launched
                    # What was there before may be on its way out, to be replaced: that is no failure.
                    new = [c for c in containers if launched or c.id not in before]
                    verdict = readiness.judge(wanted, self._as_pending(new), self._closed_port)
                    if isinstance(verdict, readiness.Failed):
                        raise self._lost(verdict)
                    if launched and (error := launching.exception()):
                        if not (isinstance(verdict, readiness.Waiting) and _is_impatience(error)):
                            raise error
                        # Compose gave up on a dependency that the engine restarts: it may still come.
                        launching = self._submit(pool, watch, self._launch, own)
                    elif launched and isinstance(verdict, readiness.Ready):
                        return containers
                    if time.monotonic() > deadline:
                        raise self._late(verdict, self._containers(watch, fresh=True))
                    self._wait(watch, verdict, containers, cancel)
            finally:
                own.set("the stack is lost")

    def _containers(self, watch: Watch, *, fresh: bool = False) -> tuple[Container, ...]:
        """Those of the config; a project may have others, which are not ours to start or to judge."""
        services = self._config["services"]
        found = watch.containers(fresh=fresh)
        return tuple(container for container in found if container.service in services)

    def _submit(
        self, pool: ThreadPoolExecutor, watch: Watch, work: Callable[..., None], *arguments: object
    ) -> Future[None]:
        future = pool.submit(work, *arguments)
        future.add_done_callback(lambda _: watch.tell())
        return future

    def _start(self, pool: ThreadPoolExecutor, watch: Watch, containers: Sequence[Container]) -> None:
        """Start what may start now; raises what an earlier start failed with."""
        for container in order.startable(self._config, containers, self._pending):
            if container.id not in self._starting:
                self._starting[container.id] = self._submit(pool, watch, self._engine.start, container.id)
        for container_id, starting in self._starting.items():
            if container_id in self._pending and starting.done():
                self._pending.discard(container_id)
                watch.tell()
                if error := starting.exception():
                    name = next((c.service for c in containers if c.id == container_id), container_id)
                    why = readiness.start_error(error.what if isinstance(error, TasklibError) else str(error))
                    raise StackError(f"{self._title} cannot become ready: {name} cannot start: {why}")

    def _as_pending(self, containers: Iterable[Container]) -> tuple[Container, ...]:
        """A job that ran when the stack was up before has to run again: it is not done yet."""
        return tuple(
            replace(c, state="created", error="") if c.id in self._pending and c.state == "exited" else c
            for c in containers
        )

    def _wait(
        self,
        watch: Watch,
        verdict: readiness.Verdict,
        containers: Sequence[Container],
        cancel: process.Cancel,
    ) -> None:
        reasons = verdict.reasons if isinstance(verdict, readiness.Waiting) else {}
        # What waits for others says nothing that they do not say themselves.
        awaited = [
            f"{name}: {why}"
            for name, why in sorted(reasons.items())
            if not any(order.unmet(self._config, name, containers, self._pending))
        ]
        self._listener.waits(", ".join(awaited[:3]))
        ports = any(why.startswith("port") for why in reasons.values())
        cancel.check()
        until = time.monotonic() + (_LOOK if ports else _QUIET)
        while not watch.wait(_LOOK) and time.monotonic() < until:
            cancel.check()

    def _closed_port(self, container: Container) -> int | None:
        """The first published TCP port of a container behind which nobody listens yet."""
        if self._engine.facts.remote:
            return None
        published = (port for port in container.ports if port.protocol == "tcp" and port.published)
        return next(
            (p.target for p in published if not self._accepts(container, p.target, p.published)), None
        )

    def _accepts(self, container: Container, target: int, published: int) -> bool:
        # The engine's proxy accepts on the published port whether or not anyone listens behind it: ask the
        # container itself where it can be reached, elsewhere see whether the proxy keeps the connection.
        direct = bool(container.address) and not self._engine.facts.desktop
        try:
            with socket.create_connection(
                (container.address, target) if direct else ("127.0.0.1", published), timeout=0.5
            ) as connection:
                if direct:
                    return True
                connection.settimeout(0.1)
                return connection.recv(1) != b""
        except TimeoutError:
            return not direct
        except OSError:
            return False

    def _lost(self, verdict: readiness.Failed) -> NotReady:
        container = verdict.container
        what = f"{self._title} cannot become ready: {container.service} {verdict.why}"
        said = container.health_output if container.health == "unhealthy" else ""
        return NotReady(what + _health(said), logs=read_logs(self._engine, [container], tail=10))

    def _late(self, verdict: readiness.Verdict, containers: Iterable[Container]) -> NotReady:
        reasons = verdict.reasons if isinstance(verdict, readiness.Waiting) else {}
        waited = ", ".join(f"{name} ({why})" for name, why in reasons.items()) or "Compose"
        late = [container for container in containers if container.service in reasons]
        said = next((c.health_output for c in late if c.health_output), "")
        what = f"{self._title} was not ready after {self._timeout:g} s, waiting for {waited}"
        return NotReady(what + _health(said), logs=read_logs(self._engine, late, tail=10))


def read_logs(
    engine: Engine, containers: Iterable[Container], *, since: float = 0.0, tail: int = 200
) -> tuple[ContainerLog, ...]:
    """The last ``tail`` lines of each container from ``since`` (seconds since the epoch) on."""
    read = ((c.service, engine.logs(c.id, since=since, tail=tail)) for c in containers)
    return tuple(ContainerLog(service, lines) for service, lines in read if lines)


def _health(output: str) -> str:
    line = " ".join(output.split())
    if not line:
        return ""
    return f"; its health check said: {line if len(line) <= 200 else line[:199] + '…'}"


def _is_impatience(error: BaseException) -> bool:
    return isinstance(error, StackError) and "dependency failed to start" in str(error)

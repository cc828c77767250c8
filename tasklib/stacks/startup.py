"""Starting a stack and following it until it is ready, lost or late."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from tasklib import process
from tasklib.errors import StackError
from tasklib.events import ContainerLog
from tasklib.stacks import readiness
from tasklib.stacks.containers import Container
from tasklib.stacks.engine import Engine, Watch
from tasklib.stacks.failures import NotReady

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
        project: str,
        services: Iterable[str],
        launch: Callable[[process.Cancel], None],
        *,
        title: str,
        timeout: float,
        say: Callable[[str], None],
    ) -> None:
        """``launch(cancel)`` creates and starts the containers; ``say`` is told what is waited for."""
        self._engine = engine
        self._project = project
        self._services = tuple(services)
        self._launch = launch
        self._title = title
        self._timeout = timeout
        self._say = say

    def follow(self, cancel: process.Cancel) -> tuple[Container, ...]:
        """Launch and wait; returns the containers of the ready stack.

        Raises :class:`NotReady` as soon as success is out of reach, and after the time-out.
        """
        deadline = time.monotonic() + self._timeout
        own = process.Cancel(cancel)
        with self._engine.watch(self._project) as watch, ThreadPoolExecutor(1) as pool:
            launching = self._start(pool, watch, own)
            try:
                while True:
                    launched = launching.done()
                    containers = self._engine.containers(self._project)
                    verdict = readiness.judge(self._services, containers, self._closed_port)
                    if isinstance(verdict, readiness.Failed):
                        raise self._lost(verdict)
                    if launched and (error := launching.exception()):
                        if not (isinstance(verdict, readiness.Waiting) and _is_impatience(error)):
                            raise error
                        # Compose gave up on a dependency that the engine restarts: it may still come.
                        launching = self._start(pool, watch, own)
                    elif launched and isinstance(verdict, readiness.Ready):
                        return containers
                    if time.monotonic() > deadline:
                        raise self._late(verdict, containers)
                    self._wait(watch, verdict, cancel)
            finally:
                own.set("the stack is lost")

    def _start(self, pool: ThreadPoolExecutor, watch: Watch, cancel: process.Cancel) -> Future[None]:
        launching = pool.submit(self._launch, cancel)
        launching.add_done_callback(lambda _: watch.tell())
        return launching

    def _wait(self, watch: Watch, verdict: readiness.Verdict, cancel: process.Cancel) -> None:
        reasons = verdict.reasons if isinstance(verdict, readiness.Waiting) else {}
        self._say(", ".join(f"{name}: {why}" for name, why in sorted(reasons.items())[:3]))
        ports = any(why.startswith("port") for why in reasons.values())
        cancel.check()
        until = time.monotonic() + (_LOOK if ports else _QUIET)
        while not watch.wait(_LOOK) and time.monotonic() < until:
            cancel.check()

    def _closed_port(self, container: Container) -> int | None:
        """The first published TCP port of a container behind which nobody listens yet."""
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

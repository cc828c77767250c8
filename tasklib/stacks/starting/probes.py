"""Asks starting containers for their health as often as they can bear it.

The engine's own checks run at an interval that is fixed for the container's life: short enough for starting,
it costs a good part of a core for as long as the stack is up. So the engine checks seldom, and until a
container is healthy its own check is run by us, the next one when the one before has ended.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import EngineError
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import Container

__all__ = ["Probes", "asked"]

_UNASKED = 3.0
"""Seconds after which a container is asked although no port of it is open."""

_KNOCK = 0.02
"""Seconds between two looks at whether a port is open: far cheaper than a check."""

_SHORTEST = 0.05
"""Seconds between the end of one check and the start of the next, at least."""

_REST = 2.0
"""How much longer than a check the pause after it is: a starting container spends a third on being asked."""

_ANSWER = 5.0
"""Seconds that whoever only looks waits for the answers of checks."""


def asked(
    engine: Engine, containers: Iterable[Container], *, seconds: float = _ANSWER
) -> tuple[Container, ...]:
    """The same containers, healthy where the engine says starting and their own check passes when it is run.

    What we waited for was ready by checks of ours; the engine calls it starting until its own next one, which
    is up to an interval away. All are asked at once and once; one that does not answer within ``seconds``
    stays as the engine sees it.
    """
    found = tuple(containers)
    passed: set[str] = set()

    def ask(container: Container) -> None:
        with contextlib.suppress(EngineError):
            if engine.run_inside(container.id, container.health_test):
                passed.add(container.id)

    asking = [threading.Thread(target=ask, args=(c,), daemon=True) for c in found if _unknown(c)]
    for thread in asking:
        thread.start()
    until = time.monotonic() + seconds
    for thread in asking:
        thread.join(max(0.0, until - time.monotonic()))
    healthy = frozenset(passed)
    return tuple(replace(c, health="healthy") if c.id in healthy else c for c in found)


def _unknown(container: Container) -> bool:
    """Whether the engine has not found out yet what the container's own check would tell."""
    return container.state == "running" and container.health == "starting" and bool(container.health_test)


class Probes:
    """The health of starting containers, asked in a thread each until ``cancel`` is set."""

    def __init__(self, engine: Engine, cancel: process.Cancel, tell: Callable[[], None]) -> None:
        """``tell`` is called whenever a container turns out to be healthy."""
        self._engine = engine
        self._cancel = cancel
        self._tell = tell
        self._lock = threading.Lock()
        self._asked: set[tuple[str, str]] = set()
        self._healthy: set[tuple[str, str]] = set()

    def see(self, containers: Iterable[Container]) -> tuple[Container, ...]:
        """The same containers with what the probes know; those that start now are asked from now on."""
        return tuple(self._see(container) for container in containers)

    def _see(self, container: Container) -> Container:
        if not _unknown(container):
            return container
        # A restarted container is another one to ask.
        life = container.life
        with self._lock:
            if life in self._healthy:
                return replace(container, health="healthy")
            new = life not in self._asked
            self._asked.add(life)
        if new:
            threading.Thread(target=self._ask, args=(container, life), daemon=True).start()
        return container

    def _await_port(self, container: Container) -> None:
        """Until something listens no check can pass, and a check costs as much as starting a process."""
        facts = self._engine.facts
        if not container.address or not container.listens or not facts.reach.direct:
            return
        until = time.monotonic() + _UNASKED
        while time.monotonic() < until and not self._cancel.is_set():
            for port in container.listens:
                with contextlib.suppress(OSError), socket.create_connection((container.address, port), 0.2):
                    return
            time.sleep(_KNOCK)

    def _ask(self, container: Container, life: tuple[str, str]) -> None:
        self._await_port(container)
        while not self._cancel.is_set():
            began = time.monotonic()
            try:
                passed = self._engine.run_inside(container.id, container.health_test)
            except EngineError:
                # It has ended, most likely: whoever looks at containers says so. If not, it is asked again.
                with self._lock:
                    self._asked.discard(life)
                return
            if passed:
                with self._lock:
                    self._healthy.add(life)
                self._tell()
                return
            time.sleep(max(_SHORTEST, _REST * (time.monotonic() - began)))

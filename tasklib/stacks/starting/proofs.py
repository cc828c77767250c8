"""Looks whether running containers serve, and remembers since when: what a health check leaves open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tasklib.errors import EngineError
from tasklib.stacks.engine.values import Container, EngineFacts
from tasklib.stacks.servers import NOWHERE, Server, listening
from tasklib.stacks.starting.doors import PATIENCE, Doors, Life, Proof, doors_of, proof
from tasklib.stacks.starting.knocking import knock

__all__ = ["Proofs", "Sight"]

_ASKED = 1.0
"""Seconds for which the programs of a container are known."""


class Sight(Struct, frozen=True):
    """Containers as they count, what those that run still lack, and the ports that stay silent.

    ``lacks`` is by container, ``silent`` are services and their ports, each told once.
    """

    containers: tuple[Container, ...]
    lacks: Mapping[str, str]
    silent: tuple[tuple[str, int], ...] = ()


class Proofs:
    """The doors of one stack's containers."""

    def __init__(
        self,
        facts: EngineFacts,
        servers: Mapping[str, Server],
        *,
        programs: Callable[[Container], Iterable[Sequence[str]]] = lambda container: (),
        knocks: Callable[[Container, int, str], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``servers``: the known ones by service; ``programs`` tells the words of what runs in a container;
        ``knocks`` and ``clock`` are ours to replace in tests."""
        self._facts = facts
        self._servers = servers
        self._programs = programs
        self._knocks = knocks or self._knock
        self._clock = clock
        self._preparing: dict[tuple[str, str], tuple[float, float]] = {}
        self._lives: dict[tuple[str, str], Life] = {}
        self._told: set[tuple[str, int]] = set()

    def know(self, containers: Iterable[Container]) -> None:
        """Those that run already have shown what they can show by running."""
        for container in containers:
            if container.state == "running":
                self._lives[container.life] = Life(float("-inf"))

    def see(self, containers: Iterable[Container]) -> Sight:
        """Look at every container that runs; one that is healthy and does not serve is only starting."""
        seen, lacks, silent = [], {}, []
        for container in containers:
            if container.state == "running":
                server = self._servers.get(container.service)
                doors = doors_of(container, server, self._facts)
                life = self._lives[container.life] = self._look(container, doors, server)
                found = proof(container, doors, life, self._clock())
                if server and found.silent and found.silent == doors.known and self._prepares(container):
                    found = Proof("its data is being initialised")
                if found.lacks:
                    lacks[container.id] = found.lacks
                    if container.health:
                        container = replace(container, health="starting")
                silent += [(container.service, port) for port in sorted(found.silent)]
            seen.append(container)
        new = tuple(pair for pair in dict.fromkeys(silent) if pair not in self._told)
        self._told.update(new)
        return Sight(tuple(seen), lacks, new)

    def _prepares(self, container: Container) -> bool:
        """Whether a server works on its data, or did a moment ago: so far it listens to nobody outside.

        Its image's start script waits for that, so that it is another program than the container's own, and
        starts it anew afterwards.
        """
        asked, seen = self._preparing.get(container.life, (float("-inf"), float("-inf")))
        if self._clock() - asked >= _ASKED:
            try:
                _, *others = self._programs(container) or ((),)
            except EngineError:
                others = []
            asked = self._clock()
            seen = asked if any(NOWHERE in listening(words, {}) for words in others) else seen
            self._preparing[container.life] = (asked, seen)
        return self._clock() - seen < PATIENCE

    def _look(self, container: Container, doors: Doors, server: Server | None) -> Life:
        now = self._clock()
        life = self._lives.get(container.life) or Life(now)
        if container.health not in (None, "healthy"):
            return life
        if container.health and life.healthy is None:
            life = replace(life, healthy=now)
        if container.health and not doors.known.isdisjoint(life.opened):
            return life  # One of them is enough, and the health check says the rest.
        wanted = doors.known if container.health else doors.known | doors.published
        opened = {
            port: now
            for port in sorted(wanted - life.opened.keys())
            if self._knocks(container, port, server.kind if server and port in doors.known else "")
        }
        return replace(life, opened={**life.opened, **opened})

    def _knock(self, container: Container, port: int, kind: str) -> bool:
        # The engine's proxy accepts on the published port whether or not anyone listens behind it: ask the
        # container itself where it can be reached, elsewhere see whether the proxy keeps the connection.
        if container.address and self._facts.reach.direct:
            return knock(container.address, port, kind, container.environment)
        where = next(p for p in container.ports if p.target == port and p.published)
        return knock(
            where.host, where.published, kind, container.environment, direct=False, lag=self._facts.reach.lag
        )

"""PURE: the ports by which a running container shows that it serves, and what it still lacks.

A health check that passes early, as one that asks a socket does while an image initialises its data, says
less than it would have said at the file's own pace. So a known server also has to take a real connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from tasklib.reach import Way
from tasklib.stacks.engine.values import Container, EngineFacts
from tasklib.stacks.servers import NOWHERE, Server, listening

__all__ = ["PATIENCE", "Doors", "Life", "Proof", "doors_of", "proof"]

_GRACE = 2.0
"""Seconds that further published ports have once one accepts."""

PATIENCE = 30.0
"""Seconds that the port of a server has which says that it is healthy, or of which nobody else needs it."""

_SETTLED = 1.0
"""Seconds that a container has to run which shows in no way that it serves."""


class Doors(Struct, frozen=True):
    """Container ports: of ``known`` ones a server has to open one, ``published`` are those of the file."""

    known: frozenset[int] = frozenset()
    published: frozenset[int] = frozenset()


class Life(Struct, frozen=True):
    """What was seen of a container since it started, in seconds of one clock."""

    since: float
    healthy: float | None = None
    opened: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))


class Proof(Struct, frozen=True):
    """What a container ``lacks`` to be ready ("": nothing), and ports that nobody waits for any more."""

    lacks: str = ""
    silent: frozenset[int] = frozenset()


def doors_of(container: Container, server: Server | None, facts: EngineFacts) -> Doors:
    """Those doors of a container that can be reached from here."""
    if facts.reach.way is Way.NONE:
        return Doors()
    published = frozenset(p.target for p in container.ports if p.protocol == "tcp" and p.published)
    told = listening(container.command, container.environment) if server else ()
    known = frozenset({server.port, *told}) if server and NOWHERE not in told else frozenset[int]()
    if not facts.reach.direct or not container.address:
        known &= published
    return Doors(known, published)


def proof(container: Container, doors: Doors, life: Life, now: float) -> Proof:
    """What a running container lacks, besides a health check that has not passed yet."""
    if container.health not in (None, "healthy"):
        return Proof()
    opened = life.opened
    if doors.known and doors.known.isdisjoint(opened):
        since = life.since if container.health is None else life.healthy
        waited = 0.0 if since is None else now - since
        if waited >= PATIENCE and (container.health or doors.known.isdisjoint(doors.published)):
            return Proof(silent=doors.known)
        return Proof(f"port {min(doors.known)} does not accept")
    if container.health == "healthy":
        return Proof()
    if closed := doors.published - opened.keys():
        if opened and now - min(opened.values()) >= _GRACE:
            return Proof(silent=closed)
        return Proof(f"port {min(closed)} does not accept")
    if not doors.known | doors.published and now - life.since < _SETTLED:
        return Proof("has just started")
    return Proof()

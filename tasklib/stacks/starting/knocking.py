"""Whether somebody takes a connection at a port: a greeting and its answer, where the protocol is known."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

__all__ = ["knock"]

_TIMEOUT = 0.5
_AT_ONCE = 0.1
"""Seconds in which the engine's proxy drops a connection behind which nobody listens."""


def knock(
    host: str,
    port: int,
    kind: str = "",
    environment: Mapping[str, str] | None = None,
    *,
    direct: bool = True,
    lag: float = 0.0,
) -> bool:
    """Whether a server of ``kind`` (see :class:`~tasklib.stacks.servers.Server`) takes connections.

    Where it is not known, and where a server that accepted says nothing, accepting is enough. ``direct`` is
    whether nothing stands between it and us that accepts on its behalf; ``environment`` is the server's,
    ``lag`` how many seconds an answer is on its way.
    """
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT + 3 * lag) as connection:
            match kind:
                case "postgres":
                    return _postgres(connection, environment or {})
                case "mysql":
                    return _answer(connection) != b""
                case "redis":
                    connection.sendall(b"PING\r\n")
                    return not (_answer(connection) or b"-LOADING").startswith((b"-LOADING", b"-MASTERDOWN"))
            if direct:
                return True
            connection.settimeout(_AT_ONCE + 3 * lag)
            return _answer(connection) != b""
    except OSError:
        return False


def _answer(connection: socket.socket) -> bytes | None:
    """The first bytes that come: none where the connection is closed, ``None`` where nobody says anything."""
    try:
        return connection.recv(1024)
    except TimeoutError:
        return None


def _postgres(connection: socket.socket, environment: Mapping[str, str]) -> bool:
    """As `pg_isready` asks: one that is starting up, or shutting down, refuses with 57P03."""
    user = environment.get("POSTGRES_USER") or "postgres"
    database = environment.get("POSTGRES_DB") or user
    words = ("user", user, "database", database, "application_name", "tasklib", "")
    text = b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words)
    connection.sendall(struct.pack("!ii", len(text) + 8, 196608) + text)
    said = _answer(connection)
    if said is None:
        return True
    if said.startswith(b"R"):
        connection.sendall(b"X\0\0\0\4")
    return said != b"" and b"57P03" not in said

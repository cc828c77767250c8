"""What small projects as people have them share: nothing in them knows of tasklib but a few settings."""

from __future__ import annotations

import tomllib

__all__ = ["POSTGRES", "SPEAKS_POSTGRES", "lines_of"]

POSTGRES = "${POSTGRES_IMAGE:-postgres:16}"

SPEAKS_POSTGRES = """
import socket


def is_postgres(host, port):
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))  # Do you speak TLS?
        return connection.recv(1) in (b"S", b"N")
"""
"""A module for tests, in place of a database's driver."""


def lines_of(settings: str) -> int:
    """How many lines of configuration these are, which have to be TOML."""
    tomllib.loads(settings)
    return len([line for line in settings.splitlines() if line.strip()])

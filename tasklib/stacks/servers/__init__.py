"""PURE: what is known of databases, caches and brokers, by their images."""

from __future__ import annotations

from functools import cache

from tasklib.stacks.references import parse_reference
from tasklib.stacks.servers.listening import NOWHERE, listening
from tasklib.stacks.servers.model import Baking, Login, Server
from tasklib.stacks.servers.settings import Settings, read_settings
from tasklib.stacks.servers.table import SERVERS
from tasklib.stacks.servers.urls import plain_url, server_url

__all__ = [
    "NOWHERE",
    "SERVERS",
    "Baking",
    "Login",
    "Server",
    "Settings",
    "declared_volumes",
    "known_server",
    "listening",
    "plain_url",
    "read_settings",
    "server_url",
]


@cache
def known_server(image: str) -> Server | None:
    """The server behind an image: ``registry/team/postgres:16@sha256:…`` is a postgres.

    Of the table's names the one that most of the repository ends in decides: Bitnami's images are not the
    official ones. A mirror's folders before that do not matter.
    """
    reference = parse_reference(image)
    if reference is None:
        return None
    parts = reference.repository.split("/")
    for start in range(len(parts)):
        name = "/".join(parts[start:])
        for server in SERVERS:
            if name in server.images:
                return server
    return None


def declared_volumes(image: str) -> tuple[str, ...]:
    """The volumes that an official image declares; none where its version decides and its tag names none."""
    reference, server = parse_reference(image), known_server(image)
    if reference is None or server is None or reference.familiar not in server.official:
        return ()
    if len(server.volumes) > 1 and reference.version is None:
        return ()
    fitting = [paths for since, paths in server.volumes if since <= (reference.version or 0)]
    return fitting[-1] if fitting else ()

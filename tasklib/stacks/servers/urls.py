"""The URL of a container's port, as clients of the server behind it write it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

from tasklib.stacks.servers.model import Server
from tasklib.stacks.servers.settings import Settings
from tasklib.stacks.servers.table import SERVERS

__all__ = ["plain_url", "server_url"]

_TLS = (443, 8443)
_WEB = ("http", "https", "ws", "wss")


def plain_url(where: str, target: int) -> str:
    """That of a port of which only its number, ``target``, is known; ``where`` is ``host:port``."""
    scheme = "https" if target in _TLS else _usual_schemes().get(target, "http")
    return f"{scheme}://{where}"


@cache
def _usual_schemes() -> Mapping[int, str]:
    """What is spoken at the ports that one known protocol has, and that is not HTTP."""
    spoken: dict[int, set[str]] = {}
    for server in SERVERS:
        for port, scheme in server.ports:
            spoken.setdefault(port, set()).add(scheme)
    alone = {port: min(schemes) for port, schemes in spoken.items() if len(schemes) == 1}
    return {port: scheme for port, scheme in alone.items() if scheme not in _WEB}


def server_url(where: str, target: int, server: Server, settings: Settings) -> str:
    """That of a known server's port: one of its usual ones, or where it was told to listen."""
    ports = {**dict.fromkeys(settings.ports, server.scheme), **dict(server.ports)}
    scheme = ports.get(target)
    if scheme == "https" and not settings.secure:
        scheme = "http"
    if scheme is None:
        return plain_url(where, target)
    login = ""
    meant = target == server.port or target not in dict(server.ports)
    if meant and (settings.password or (settings.user and server.sql)):
        login = quote(settings.user, safe="")
        login += f":{quote(settings.password, safe='')}@" if settings.password else "@"
    if scheme in _WEB:
        return f"{scheme}://{login}{where}"
    path = f"/{quote(settings.database, safe='')}" if settings.database else ""
    if settings.query:
        path = f"{path or '/'}?{settings.query}"
    return f"{scheme}://{login}{where}{path}"

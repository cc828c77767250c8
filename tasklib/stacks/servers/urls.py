"""The URL of a container's port, as clients of the server behind it write it."""

from __future__ import annotations

from urllib.parse import quote

from tasklib.stacks.servers.model import Server
from tasklib.stacks.servers.settings import Settings

__all__ = ["plain_url", "server_url"]

_TLS = (443, 8443)


def plain_url(where: str, target: int) -> str:
    """That of a port that nothing is known of: ``where`` is ``host:port``, ``target`` the container port."""
    return f"{'https' if target in _TLS else 'http'}://{where}"


def server_url(where: str, target: int, server: Server, settings: Settings) -> str:
    """That of a known server's port; any other port of it speaks HTTP."""
    scheme = dict(server.ports).get(target)
    if scheme == "https" and not settings.secure:
        scheme = "http"
    if scheme is None:
        return plain_url(where, target)
    login = ""
    if target == server.port and (settings.password or (settings.user and server.sql)):
        login = quote(settings.user, safe="")
        login += f":{quote(settings.password, safe='')}@" if settings.password else "@"
    if scheme in ("http", "https"):
        return f"{scheme}://{login}{where}"
    path = f"/{quote(settings.database.lstrip('/'), safe='')}" if settings.database else ""
    if settings.query:
        path = f"{path or '/'}?{settings.query}"
    return f"{scheme}://{login}{where}{path}"

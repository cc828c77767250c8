"""PURE: the same tests run again for another server, as the variables that are set for them say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tasklib.adopt.names import URL

__all__ = ["differing", "in_a_file", "kinds_of", "other_server", "servers_of"]

_SERVERS = re.compile(
    r"sqlite3?|postgres(ql)?|psql|pg|mysql|mariadb|mssql|sqlserver|oracle|cockroach(db)?|tidb|gaussdb"
)


def servers_of(env: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """The variables that name a kind of server, with it."""
    return frozenset((name, kind) for name, value in env.items() if (kind := _kind(value)))


def kinds_of(env: Mapping[str, str]) -> frozenset[str]:
    """The kinds of servers that variables name."""
    return frozenset(kind for _, kind in servers_of(env))


def in_a_file(env: Mapping[str, str]) -> bool:
    """Whether what variables name as a database is a file, and no server at all, in no list of several."""
    named = [env[name] for name, _ in servers_of(env)]
    others = any(re.search(r"(?<!sqlite)://", re.sub(r"\+\w+://", "://", value)) for value in named)
    return kinds_of(env) == {"sqlite"} and not others


def differing(own: Mapping[str, str], env: Mapping[str, str]) -> str:
    """``NAME=value`` of ``env`` where ``own`` has another kind of server in that variable; else empty."""
    known = dict(servers_of(own))
    others = (name for name, kind in sorted(servers_of(env)) if known.get(name, kind) != kind)
    return next((f"{name}={env[name]}" for name in others), "")


def other_server(name: str, env: Mapping[str, str]) -> bool:
    """Whether a recipe is called for a server that ``env`` has none of: ``test_sqlite`` beside Postgres."""
    named = {kind for word in re.split(r"[^a-z0-9]+", name.lower()) if (kind := _kind(word))}
    known = {kind for _, kind in servers_of(env)}
    return bool(named and known) and not named & known


def _kind(value: str) -> str:
    """The kind of server that an address or a word means."""
    url = URL.match(value.strip())
    kind = url["scheme"].split("+")[0] if url else value.strip().lower()
    kind = "sqlite" if value.startswith("sqlite") else kind
    if not _SERVERS.fullmatch(kind):
        return ""
    return {"postgresql": "postgres", "psql": "postgres", "pg": "postgres", "sqlite3": "sqlite"}.get(
        kind, kind
    )

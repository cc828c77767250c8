"""``[tool.tasklib]`` of a pyproject.toml as :class:`~tasklib.project.settings.Settings`, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tasklib.isolation import is_plain_id
from tasklib.project.settings import Settings
from tasklib.project.toml import Document

__all__ = ["TABLE", "load", "published"]

TABLE = ("tool", "tasklib")

_PLACE = re.compile(r"\{[A-Za-z0-9._ -]+(:\d+(\.(host|port))?|\.(host|port))\}")
"""``{api:8000}``, ``{db.host}``, ``{db:5432.port}`` in the template of an endpoint."""

_PORT = re.compile(r"(?P<service>[A-Za-z0-9._-]+):(?P<port>\d{1,5})")
"""``db:5432``: a Compose service and a port of its container."""

_ENGINE = re.compile(r"default|context:\S+|unix:///\S+|ssh://([^@:/\s]+@)?[^@/\s]+(/\S*)?")
"""How an engine is listed; over TCP it takes certificates, which contexts have."""


def load(document: Document) -> Settings:
    """The settings of a pyproject.toml (all defaults where it has no such table).

    Raises :class:`~tasklib.errors.ConfigError` naming file and line for anything that cannot be meant.
    """
    settings = document.load(Settings, *TABLE)
    if not is_plain_id(settings.prefix):
        raise document.error(
            f"`prefix` cannot start a Compose project's name: {settings.prefix!r}",
            *(*TABLE, "prefix"),
            remedy="At most 20 lower-case letters, digits and single dashes between them.",
        )
    for *table, name in _variables(document.table(*TABLE) or {}, TABLE):
        if not name or "=" in name:
            where = ".".join(table[len(TABLE) :])
            raise document.error(f"`{where}`: {name!r} cannot be the name of a variable", *table, name)
    for variable, template in settings.endpoints.items():
        if not (variable.isascii() and variable.isidentifier()):
            raise document.error(
                f"`endpoints`: {variable!r} cannot be the name of a variable", *TABLE, "endpoints", variable
            )
        if wrong := re.search(r"[{}]", _PLACE.sub("", template)):
            raise document.error(
                f"`endpoints.{variable}`: {template!r} has a {wrong[0]} that belongs to no {{service:port}}",
                *(*TABLE, "endpoints", variable),
                remedy="Write {api:8000} for host and port, {db.host} or {db:5432.port} for one of them.",
            )
    for port in settings.publish:
        if not _PORT.fullmatch(port):
            raise document.error(
                f"`publish`: {port!r} is no service and port",
                *(*TABLE, "publish"),
                remedy='Write the Compose service and the port in its container: publish = ["db:5432"].',
            )
    for engine in settings.engines:
        if not _ENGINE.fullmatch(engine):
            raise document.error(
                f"`engines`: {engine!r} names no engine",
                *(*TABLE, "engines"),
                remedy='Write "default", "ssh://user@host", "context:NAME" or "unix:///path/to/socket".',
            )
    return settings


def _variables(table: Mapping[str, object], keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The names in every table `env` below ``table``, each with the keys that lead to it."""
    for key, value in table.items():
        if isinstance(value, Mapping) and key == "env":
            yield from ((*keys, key, name) for name in value)
        elif isinstance(value, Mapping):
            yield from _variables(value, (*keys, key))


def published(ports: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """``db:5432`` and the like, as ports by Compose service."""
    found: dict[str, tuple[int, ...]] = {}
    for port in ports:
        service, _, number = port.rpartition(":")
        found[service] = (*found.get(service, ()), int(number))
    return found

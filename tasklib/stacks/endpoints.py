"""PURE: the published ports of a ready stack become the variables that its tests read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from tasklib.errors import ConfigError
from tasklib.stacks.dollars import plain
from tasklib.stacks.engine.values import Container
from tasklib.stacks.servers import Server, Settings, known_server, plain_url, read_settings, server_url

__all__ = [
    "Endpoint",
    "TextOf",
    "endpoint_variables",
    "endpoints",
    "named_ports",
    "settings_of",
    "variable_part",
]

_NO_SERVERS: Mapping[str, Server] = MappingProxyType({})
TextOf = Callable[[str, str], str | None]
"""(service, path inside its container) → what the file there holds; ``None`` where that is not known."""


class Endpoint(Struct, frozen=True):
    """Where a container port is reachable from the tests."""

    service: str
    target: int
    host: str
    port: int


def endpoints(containers: Iterable[Container]) -> tuple[Endpoint, ...]:
    """The published TCP and UDP ports of running containers, by service and container port."""
    found = {
        Endpoint(container.service, port.target, port.host, port.published)
        for container in containers
        for port in container.ports
        if port.published
    }
    return tuple(sorted(found, key=lambda e: (e.service, e.target, e.port)))


def variable_part(service: str) -> str:
    """A service's name inside a variable: ``price-db`` → ``PRICE_DB``."""
    return re.sub(r"[^A-Z0-9]", "_", service.upper())


def endpoint_variables(
    config: Mapping[str, Any],
    found: Iterable[Endpoint],
    templates: Mapping[str, str] | None = None,
    *,
    source: str | None = None,
    servers: Mapping[str, Server] = _NO_SERVERS,
    text_of: TextOf = lambda service, path: None,
) -> dict[str, str]:
    """``TEST_<SERVICE>_HOST``, ``_PORT``, ``_PORT_<n>`` and ``_URL`` for each service with endpoints.

    ``config`` is the rendered Compose config (images and environments tell databases), ``templates`` are
    the project's own variables: ``{api:8000}`` in them becomes ``host:port``, ``{db.host}`` and
    ``{db:5432.port}`` one of them. Templates that name services of other stacks are left out.
    ``servers`` are those known otherwise than by their images' names, by service; ``text_of`` gives what the
    file at a path inside a service's container holds. Raises
    :class:`~tasklib.errors.ConfigError`, naming ``source``, for a port that the service of this stack does
    not publish.
    """
    by_service: dict[str, list[Endpoint]] = {}
    for endpoint in found:
        by_service.setdefault(endpoint.service, []).append(endpoint)
    services: Mapping[str, Any] = config.get("services") or {}
    variables: dict[str, str] = {}
    sql_urls: list[str] = []
    firsts: dict[str, Endpoint] = {}
    for service, own in by_service.items():
        definition = services.get(service) or {}
        server = servers.get(service) or known_server(str(definition.get("image") or ""))
        firsts[service] = first = _first(own, definition, server)
        name = f"TEST_{variable_part(service)}"
        url = _url(first, definition, server, partial(text_of, service))
        variables[f"{name}_HOST"] = first.host
        variables[f"{name}_PORT"] = str(first.port)
        variables[f"{name}_URL"] = url
        for endpoint in own:
            variables.setdefault(f"{name}_PORT_{endpoint.target}", str(endpoint.port))
        if server and server.sql:
            sql_urls.append(url)
    if len(sql_urls) == 1:
        variables.setdefault("TEST_DATABASE_URL", sql_urls[0])
    for variable, template in (templates or {}).items():
        filled = _fill(variable, template, firsts, by_service, services, source)
        if filled is not None:
            variables[variable] = filled
    return variables


def _first(own: list[Endpoint], definition: Mapping[str, Any], server: Server | None) -> Endpoint:
    """The port a URL means: the server's own where it is known, else the first one the file lists."""
    order = [target for target, _ in server.ports] if server else []
    order += [
        int(port.get("target", 0)) for port in definition.get("ports") or () if isinstance(port, Mapping)
    ]
    return min(own, key=lambda e: (order.index(e.target) if e.target in order else len(order), e.target))


def _url(
    endpoint: Endpoint,
    definition: Mapping[str, Any],
    server: Server | None,
    text_of: Callable[[str], str | None],
) -> str:
    where = f"{endpoint.host}:{endpoint.port}"
    if server is None:
        return plain_url(where, endpoint.target)
    return server_url(where, endpoint.target, server, settings_of(definition, server, text_of))


def settings_of(
    definition: Mapping[str, Any], server: Server, text_of: Callable[[str], str | None]
) -> Settings:
    """What a rendered service tells the server in its image; see :func:`read_settings`."""
    image = str(definition.get("image") or "")
    return read_settings(server, image, _environment(definition), _arguments(definition), text_of)


def _environment(definition: Mapping[str, Any]) -> dict[str, str]:
    """A rendered service's environment; Compose writes ``$`` as ``$$`` there."""
    environment = definition.get("environment") or {}
    if not isinstance(environment, Mapping):
        environment = dict(str(row).partition("=")[::2] for row in environment)
    return {key: plain(value) for key, value in environment.items() if value is not None}


def _arguments(definition: Mapping[str, Any]) -> list[str]:
    """The command line of a rendered service, as far as its file says it."""
    found: list[str] = []
    for key in ("entrypoint", "command"):
        words = definition.get(key) or ()
        found += [words] if isinstance(words, str) else words
    return [plain(word) for word in found]


_PLACE = re.compile(r"\{(?P<service>[A-Za-z0-9._ -]+?)(?::(?P<port>\d+))?(?:\.(?P<part>host|port))?\}")


def named_ports(templates: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """The services and ports that templates name: ``{db:5432.port}`` names (db, 5432)."""
    found = (match for template in templates for match in _PLACE.finditer(template))
    return tuple((match["service"], int(match["port"])) for match in found if match["port"])


def _fill(
    variable: str,
    template: str,
    firsts: Mapping[str, Endpoint],
    by_service: Mapping[str, list[Endpoint]],
    services: Mapping[str, Any],
    source: str | None,
) -> str | None:
    if any(match["service"] not in services for match in _PLACE.finditer(template)):
        return None

    def place(match: re.Match[str]) -> str:
        service, port = match["service"], match["port"]
        own = by_service.get(service, ())
        endpoint = next((e for e in own if e.target == int(port)), None) if port else firsts.get(service)
        if endpoint is None:
            named = f"{service}:{port}" if port else f"a port of {service}"
            example = port or "5432"
            raise ConfigError(
                f"endpoints.{variable} names {named}, which the stack does not publish",
                where=source,
                remedy=f'Add `publish = ["{service}:{example}"]` to [tool.tasklib], or '
                f'`ports: ["{example}"]` to the service {service} in its Compose file.',
            )
        match match["part"]:
            case "host":
                return endpoint.host
            case "port":
                return str(endpoint.port)
            case _:
                return f"{endpoint.host}:{endpoint.port}"

    return _PLACE.sub(place, template)

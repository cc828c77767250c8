"""PURE: the published ports of a ready stack become the variables that its tests read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tasklib.errors import ConfigError
from tasklib.stacks.engine.values import Container

__all__ = ["Endpoint", "endpoint_variables", "endpoints", "variable_part"]


@dataclass(frozen=True)
class Endpoint:
    """Where a container port is reachable from the tests."""

    service: str
    target: int
    host: str
    port: int


@dataclass(frozen=True)
class _Kind:
    """How the URL of a known server is made from its own environment."""

    images: tuple[str, ...]
    scheme: str
    port: int
    user: tuple[str, ...] = ()
    password: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    default_user: str = ""
    default_path: str = ""
    sql: bool = False


# Variables as the official images document them.
_KINDS = (
    _Kind(
        ("postgres", "postgis", "timescaledb", "timescaledb-ha", "pgvector", "postgresql", "cockroach"),
        "postgresql",
        5432,
        ("POSTGRES_USER", "POSTGRESQL_USERNAME"),
        ("POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"),
        ("POSTGRES_DB", "POSTGRESQL_DATABASE", "POSTGRES_USER"),
        "postgres",
        "postgres",
        sql=True,
    ),
    _Kind(
        ("mysql", "mariadb", "percona"),
        "mysql",
        3306,
        ("MYSQL_USER", "MARIADB_USER"),
        ("MYSQL_PASSWORD", "MARIADB_PASSWORD", "MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"),
        ("MYSQL_DATABASE", "MARIADB_DATABASE"),
        "root",
        sql=True,
    ),
    _Kind(
        ("redis", "valkey", "keydb"), "redis", 6379, (), ("REDIS_PASSWORD", "VALKEY_PASSWORD"), (), "", "0"
    ),
    _Kind(
        ("mongo", "mongodb"),
        "mongodb",
        27017,
        ("MONGO_INITDB_ROOT_USERNAME",),
        ("MONGO_INITDB_ROOT_PASSWORD",),
    ),
    _Kind(
        ("rabbitmq",),
        "amqp",
        5672,
        ("RABBITMQ_DEFAULT_USER",),
        ("RABBITMQ_DEFAULT_PASS",),
        ("RABBITMQ_DEFAULT_VHOST",),
        "guest",
    ),
    _Kind(("memcached",), "memcached", 11211),
    _Kind(("nats",), "nats", 4222),
)


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
) -> dict[str, str]:
    """``TEST_<SERVICE>_HOST``, ``_PORT``, ``_PORT_<n>`` and ``_URL`` for each service with endpoints.

    ``config`` is the rendered Compose config (images and environments tell databases), ``templates`` are
    the project's own variables: ``{api:8000}`` in them becomes ``host:port``. Templates that name services
    of other stacks are left out. Raises :class:`~tasklib.errors.ConfigError`, naming ``source``, for a port
    that the service of this stack does not publish.
    """
    by_service: dict[str, list[Endpoint]] = {}
    for endpoint in found:
        by_service.setdefault(endpoint.service, []).append(endpoint)
    services: Mapping[str, Any] = config.get("services") or {}
    variables: dict[str, str] = {}
    sql_urls: list[str] = []
    for service, own in by_service.items():
        definition = services.get(service) or {}
        kind = _kind(definition)
        first = _first(own, definition, kind)
        name = f"TEST_{variable_part(service)}"
        url = _url(first, kind, _environment(definition))
        variables[f"{name}_HOST"] = first.host
        variables[f"{name}_PORT"] = str(first.port)
        variables[f"{name}_URL"] = url
        for endpoint in own:
            variables.setdefault(f"{name}_PORT_{endpoint.target}", str(endpoint.port))
        if kind and kind.sql:
            sql_urls.append(url)
    if len(sql_urls) == 1:
        variables.setdefault("TEST_DATABASE_URL", sql_urls[0])
    for variable, template in (templates or {}).items():
        filled = _fill(variable, template, by_service, services, source)
        if filled is not None:
            variables[variable] = filled
    return variables


def _first(own: list[Endpoint], definition: Mapping[str, Any], kind: _Kind | None) -> Endpoint:
    """The port a URL means: the server's own where it is known, else the first one the file lists."""
    order = [
        int(port.get("target", 0)) for port in definition.get("ports") or () if isinstance(port, Mapping)
    ]
    if kind:
        order.insert(0, kind.port)
    return min(own, key=lambda e: (order.index(e.target) if e.target in order else len(order), e.target))


def _environment(definition: Mapping[str, Any]) -> dict[str, str]:
    """A rendered service's environment; Compose writes ``$`` as ``$$`` there."""
    environment = definition.get("environment") or {}
    if not isinstance(environment, Mapping):
        environment = dict(str(row).partition("=")[::2] for row in environment)
    return {key: str(value).replace("$$", "$") for key, value in environment.items() if value is not None}


def _kind(definition: Mapping[str, Any]) -> _Kind | None:
    """The known server behind an image: ``registry/team/postgres:16@sha256:…`` is a postgres."""
    image = str(definition.get("image") or "")
    name = image.partition("@")[0].rsplit("/", 1)[-1].partition(":")[0].lower()
    return next((kind for kind in _KINDS if name in kind.images), None)


def _url(endpoint: Endpoint, kind: _Kind | None, environment: Mapping[str, str]) -> str:
    where = f"{endpoint.host}:{endpoint.port}"
    if kind is None or endpoint.target != kind.port:
        return f"{'https' if endpoint.target in (443, 8443) else 'http'}://{where}"
    user = _value(environment, kind.user, kind.default_user)
    password = _value(environment, kind.password, "")
    if not kind.user:
        user = ""
    login = ""
    if password or (user and kind.sql):
        login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "") + "@"
    path = _value(environment, kind.path, kind.default_path)
    return f"{kind.scheme}://{login}{where}{'/' + quote(path.lstrip('/'), safe='') if path else ''}"


def _value(environment: Mapping[str, str], names: tuple[str, ...], default: str) -> str:
    return next((environment[name] for name in names if environment.get(name)), default)


_PLACE = re.compile(r"\{([A-Za-z0-9._ -]+):(\d+)\}")


def _fill(
    variable: str,
    template: str,
    by_service: Mapping[str, list[Endpoint]],
    services: Mapping[str, Any],
    source: str | None,
) -> str | None:
    if any(match[1] not in services for match in _PLACE.finditer(template)):
        return None

    def place(match: re.Match[str]) -> str:
        for endpoint in by_service.get(match[1], ()):
            if endpoint.target == int(match[2]):
                return f"{endpoint.host}:{endpoint.port}"
        raise ConfigError(
            f"endpoints.{variable} names {match[1]}:{match[2]}, which the stack does not publish",
            where=source,
            remedy=f'Add `ports: ["{match[2]}"]` to the service {match[1]} in its Compose file.',
        )

    return _PLACE.sub(place, template)

"""PURE: what the engine answers about containers, as typed values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from tasklib.results import LogLine

__all__ = [
    "PROJECT_LABEL",
    "SERVICE_LABEL",
    "BaseImage",
    "Container",
    "EngineFacts",
    "Port",
    "Publisher",
    "Resource",
    "container_from",
    "log_line_from",
]

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"


@dataclass(frozen=True)
class Port:
    """A container port (``target``) and where it is reachable; ``published`` is 0 while it is not."""

    target: int
    protocol: str
    host: str
    published: int


@dataclass(frozen=True)
class Container:
    """One container as the engine sees it now.

    ``state`` is the engine's word (created, running, restarting, exited, dead, paused), ``health`` is
    ``None`` without a health check, ``max_restarts`` is ``None`` where the engine never gives up and 0
    without a restart policy, ``address`` its first address on a bridge network ("" if none),
    ``health_test`` the command of its health check, ``listens`` the TCP ports by which it may be seen
    that it is worth a try (those that the command asks, and those that are exposed), ``environment`` what its
    program is started with.
    """

    id: str
    name: str
    project: str
    service: str
    state: str
    exit_code: int = 0
    health: str | None = None
    health_output: str = ""
    restarts: int = 0
    max_restarts: int | None = 0
    address: str = ""
    ports: tuple[Port, ...] = ()
    error: str = ""
    image: str = ""
    health_test: tuple[str, ...] = ()
    listens: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )


@dataclass(frozen=True)
class BaseImage:
    """An image that others are built on; ``triggers``: it takes part in their builds (ONBUILD)."""

    id: str
    triggers: bool = False


@dataclass(frozen=True)
class Publisher:
    """A host port that a container publishes.

    ``project`` is its Compose project, ``folder`` where that was run ("" without Compose).
    """

    container: str
    project: str
    folder: str
    host: str
    port: int
    protocol: str = "tcp"


@dataclass(frozen=True)
class Resource:
    """Something on the engine that can be removed. ``size`` is in bytes where it is known cheaply."""

    kind: Literal["container", "network", "volume", "image"]
    id: str
    name: str
    labels: Mapping[str, str]
    size: int = 0


@dataclass(frozen=True)
class EngineFacts:
    """What does not change while the engine runs."""

    id: str
    version: str
    api: tuple[int, int]
    cpus: int
    endpoint: str
    desktop: bool = False
    remote: bool = False
    name: str = ""

    @property
    def start_interval(self) -> bool:
        """Whether health checks know ``start_interval`` (Engine 25, API 1.44)."""
        return self.api >= (1, 44)


def container_from(row: Mapping[str, Any]) -> Container:
    """A container as `docker inspect` describes it."""
    state = row.get("State") or {}
    labels = (row.get("Config") or {}).get("Labels") or {}
    policy = (row.get("HostConfig") or {}).get("RestartPolicy") or {}
    network = row.get("NetworkSettings") or {}
    health = state.get("Health") or {}
    outputs = [str(entry.get("Output", "")).strip() for entry in health.get("Log") or ()]
    addresses = [str(n.get("IPAddress") or "") for n in (network.get("Networks") or {}).values()]
    config = row.get("Config") or {}
    health_test = _health_test(config)
    return Container(
        id=row["Id"],
        name=str(row.get("Name", "")).lstrip("/"),
        project=labels.get(PROJECT_LABEL, ""),
        service=labels.get(SERVICE_LABEL, ""),
        state=str(state.get("Status", "")),
        exit_code=int(state.get("ExitCode") or 0),
        health=None if health.get("Status") in (None, "none") else str(health["Status"]),
        health_output=next((text for text in reversed(outputs) if text), ""),
        restarts=int(row.get("RestartCount") or 0),
        max_restarts=_max_restarts(policy),
        address=next((address for address in addresses if address), ""),
        # A stopped container has no bindings: what it would publish stands in its configuration.
        ports=_ports(network.get("Ports") or (row.get("HostConfig") or {}).get("PortBindings") or {}),
        error=str(state.get("Error") or ""),
        image=str(config.get("Image") or ""),
        health_test=health_test,
        listens=tuple(sorted(_asked_ports(health_test) | _tcp_ports(config.get("ExposedPorts") or {}))),
        environment=_environment(config.get("Env") or ()),
    )


def _environment(rows: Iterable[str]) -> dict[str, str]:
    """``NAME=value`` rows as a mapping."""
    return {name: value for name, _, value in (row.partition("=") for row in rows)}


def _health_test(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The command of a health check, as the engine runs it."""
    kind, *words = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    if kind == "CMD-SHELL":
        return (*(config.get("Shell") or ("/bin/sh", "-c")), *words)
    return tuple(words) if kind == "CMD" else ()


_OWN_URL = re.compile(r"(https?)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d+))?(?![\w.:-])")


def _asked_ports(health_test: Iterable[str]) -> set[int]:
    """The ports of the container's own URLs in its health check."""
    urls = [url for word in health_test for url in _OWN_URL.findall(word)]
    return {int(port or (443 if scheme == "https" else 80)) for scheme, port in urls}


def _tcp_ports(exposed: Iterable[str]) -> set[int]:
    """``{"5432/tcp": {}}`` as numbers."""
    split = (port.partition("/") for port in exposed)
    return {int(number) for number, _, kind in split if kind == "tcp" and number.isdigit()}


def _max_restarts(policy: Mapping[str, Any]) -> int | None:
    name = policy.get("Name")
    if name in ("always", "unless-stopped"):
        return None
    if name == "on-failure":
        return int(policy.get("MaximumRetryCount") or 0) or None
    return 0


def _ports(rows: Mapping[str, Any]) -> tuple[Port, ...]:
    """``{"8000/tcp": [{"HostIp": …, "HostPort": …}]}`` as ports; an IPv6 twin of one binding is left out."""
    found = []
    for key, bindings in rows.items():
        number, _, protocol = key.partition("/")
        v4 = [b for b in bindings or () if ":" not in str(b.get("HostIp", ""))] or list(bindings or ())[:1]
        for binding in v4:
            host = str(binding.get("HostIp") or "127.0.0.1")
            host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
            found.append(Port(int(number), protocol or "tcp", host, int(binding.get("HostPort") or 0)))
    return tuple(sorted(found, key=lambda port: (port.target, port.published)))


def log_line_from(line: str) -> LogLine:
    """``2024-05-01T10:00:00.123456789Z text`` as a value; a line without a time stamp keeps time 0."""
    stamp, _, text = line.partition(" ")
    try:
        at = datetime.fromisoformat(stamp[:26].rstrip("Z") + "+00:00").timestamp()
    except ValueError:
        return LogLine(0.0, line)
    return LogLine(at, text)

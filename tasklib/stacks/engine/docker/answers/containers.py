"""PURE: what the engine answers about containers: how one is, what it wrote and printed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from tasklib.results import LogLine
from tasklib.stacks.engine.docker.answers.images import environment_from
from tasklib.stacks.engine.values import PROJECT_LABEL, SERVICE_LABEL, Container, Port
from tasklib.stacks.labels import MADE_OF, PORTS

__all__ = [
    "LOG_PART",
    "container_from",
    "container_id_from",
    "log_lines_from",
    "networks_of",
    "processes_from",
    "written_from",
]


LOG_PART = 16_384
"""Characters from which on the engine keeps a line in parts: each has a stamp, and counts as a line."""

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")


def container_from(row: Mapping[str, Any], ours: Collection[str] = ()) -> Container:
    """A container as `docker inspect` describes it; its address is one on a network of ``ours`` if any is."""
    state = row.get("State") or {}
    labels = (row.get("Config") or {}).get("Labels") or {}
    policy = (row.get("HostConfig") or {}).get("RestartPolicy") or {}
    network = row.get("NetworkSettings") or {}
    health = state.get("Health") or {}
    outputs = [str(entry.get("Output", "")).strip() for entry in health.get("Log") or ()]
    address = _address((network.get("Networks") or {}).values(), ours)
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
        always=policy.get("Name") in ("always", "unless-stopped"),
        started=str(state.get("StartedAt") or ""),
        address=address,
        # A stopped container has no bindings: what it would publish stands in its configuration.
        ports=_inside_ports(labels[PORTS], address)
        if PORTS in labels
        else _ports(network.get("Ports") or (row.get("HostConfig") or {}).get("PortBindings") or {}),
        error=str(state.get("Error") or ""),
        image=str(config.get("Image") or ""),
        health_test=health_test,
        listens=tuple(sorted(_asked_ports(health_test) | _tcp_ports(config.get("ExposedPorts") or {}))),
        command=tuple(map(str, (row.get("Path") or "", *(row.get("Args") or ())))),
        environment=environment_from(config.get("Env") or ()),
        starved=bool(state.get("OOMKilled")),
        image_id=str(row.get("Image") or ""),
        made_of=labels.get(MADE_OF, ""),
    )


def _address(networks: Iterable[Mapping[str, Any]], ours: Collection[str]) -> str:
    """The first address of a container, one on our networks before others."""
    found = [(str(n.get("NetworkID")) not in ours, str(n.get("IPAddress") or "")) for n in networks]
    return next((address for _, address in sorted(found, key=lambda pair: pair[0]) if address), "")


def _inside_ports(text: str, address: str) -> tuple[Port, ...]:
    """``8000/tcp 53/udp`` at the container's own address; without one, nobody gets to them now."""
    split = (port.partition("/") for port in text.split())
    return tuple(
        Port(int(number), protocol, address, int(number) if address else 0)
        for number, _, protocol in sorted(split)
        if number.isdecimal()
    )


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


def networks_of(row: Mapping[str, Any], *, marked: str = "") -> frozenset[str]:
    """The ids of the networks that an inspected container is on, or of those where it is ``marked``."""
    networks = ((row.get("NetworkSettings") or {}).get("Networks") or {}).values()
    return frozenset(
        str(network["NetworkID"])
        for network in networks
        if network.get("NetworkID") and (not marked or marked in (network.get("DriverOpts") or {}))
    )


def container_id_from(event: Mapping[str, Any]) -> str:
    """The container that an event is about ("" if none)."""
    return str(event.get("id") or (event.get("Actor") or {}).get("ID") or "")


def written_from(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """What a container wrote into its own file system, from what `docker diff` lists.

    Files that differ, and the topmost of what is new.
    """
    kinds = {str(row["Path"]): int(row["Kind"]) for row in rows}
    holders = {path.rpartition("/")[0] for path in kinds}
    changed = [path for path, kind in kinds.items() if kind == 0 and path not in holders]
    new = [path for path, kind in kinds.items() if kind == 1 and kinds.get(path.rpartition("/")[0]) != 1]
    return tuple(sorted([*changed, *new]))


def processes_from(answer: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The words of each program that `docker top` lists, whose last column is the command line."""
    return tuple(tuple(str(row[-1]).split()) for row in answer.get("Processes") or () if row)


def log_lines_from(raw: bytes) -> tuple[LogLine, ...]:
    """Lines that each begin with their time stamp, as values; empty ones are left out."""
    lines = raw.decode(errors="replace").split("\n")
    return tuple(_log_line(line.rstrip("\r")) for line in lines if line.strip())


def _log_line(line: str) -> LogLine:
    """``2024-05-01T10:00:00.123456789Z text`` as a value; a line without a time stamp keeps time 0."""
    stamp, _, text = line.partition(" ")
    if len(text) > LOG_PART:
        text = _STAMP.sub("", text)
    try:
        at = datetime.fromisoformat(stamp[:26].rstrip("Z") + "+00:00").timestamp()
    except ValueError:
        return LogLine(0.0, line)
    return LogLine(at, text)

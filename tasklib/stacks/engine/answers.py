"""PURE: the engine's answers, as the SDK hands them on, decoded into typed values."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from ipaddress import IPv4Network
from typing import Any

from tasklib.results import LogLine
from tasklib.stacks.engine.values import (
    FOLDER_LABEL,
    PROJECT_LABEL,
    SERVICE_LABEL,
    BaseImage,
    Container,
    EngineFacts,
    ImageConfig,
    Port,
    Publisher,
    Resource,
    Usage,
    WritableMount,
)
from tasklib.stacks.labels import PORTS

__all__ = [
    "age_of",
    "base_image_from",
    "container_from",
    "container_id_from",
    "container_resource_from",
    "facts_from",
    "forwards_ports",
    "image_config_from",
    "image_from",
    "log_lines_from",
    "network_resource_from",
    "networks_of",
    "project_subnets_from",
    "publishers_from",
    "subnets_from",
    "usage_from",
    "volume_resource_from",
    "volumes_of_image_from",
    "writable_mounts_from",
    "written_from",
]


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
        environment=_environment(config.get("Env") or ()),
        starved=bool(state.get("OOMKilled")),
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


def log_lines_from(raw: bytes) -> tuple[LogLine, ...]:
    """Lines that each begin with their time stamp, as values; empty ones are left out."""
    return tuple(_log_line(line) for line in raw.decode(errors="replace").splitlines() if line.strip())


def _log_line(line: str) -> LogLine:
    """``2024-05-01T10:00:00.123456789Z text`` as a value; a line without a time stamp keeps time 0."""
    stamp, _, text = line.partition(" ")
    try:
        at = datetime.fromisoformat(stamp[:26].rstrip("Z") + "+00:00").timestamp()
    except ValueError:
        return LogLine(0.0, line)
    return LogLine(at, text)


def container_id_from(event: Mapping[str, Any]) -> str:
    """The container that an event is about ("" if none)."""
    return str(event.get("id") or (event.get("Actor") or {}).get("ID") or "")


def facts_from(info: Mapping[str, Any], version: Mapping[str, Any], endpoint: str) -> EngineFacts:
    """What `docker info` and `docker version` say of the engine that answers at ``endpoint``."""
    major, minor = str(version["ApiVersion"]).split(".")[:2]
    return EngineFacts(
        id=str(info["ID"]),
        version=str(info["ServerVersion"]),
        api=(int(major), int(minor)),
        cpus=int(info["NCPU"]),
        endpoint=endpoint,
        remote=not endpoint.startswith(("http+docker://localhost", "http+docker://localnpipe")),
        name=str(info.get("Name") or ""),
    )


def forwards_ports(info: Mapping[str, Any]) -> bool:
    """Engines in a virtual machine or rootless: they forward published ports to our loopback themselves."""
    system = str(info.get("OperatingSystem", "")).lower()
    rootless = any("rootless" in str(option) for option in info.get("SecurityOptions") or ())
    return rootless or "desktop" in system or "orbstack" in system


def container_resource_from(row: Mapping[str, Any]) -> Resource:
    """A container as `docker ps` lists it, as something that can be removed."""
    return Resource("container", row["Id"], _listed_name(row), row.get("Labels") or {})


def network_resource_from(row: Mapping[str, Any]) -> Resource:
    return Resource("network", row["Id"], row["Name"], row.get("Labels") or {})


def networks_of(row: Mapping[str, Any], *, marked: str = "") -> frozenset[str]:
    """The ids of the networks that an inspected container is on, or of those where it is ``marked``."""
    networks = ((row.get("NetworkSettings") or {}).get("Networks") or {}).values()
    return frozenset(
        str(network["NetworkID"])
        for network in networks
        if network.get("NetworkID") and (not marked or marked in (network.get("DriverOpts") or {}))
    )


def age_of(row: Mapping[str, Any], now: str) -> float:
    """Seconds since a volume was made; none for one of which that is not known: it is taken for new."""
    try:
        return max(0.0, _moment(now) - _moment(str(row.get("CreatedAt") or "")))
    except ValueError:
        return 0.0


def _moment(text: str) -> float:
    """``2026-05-01T10:00:00.123456789Z``, or with an offset, in seconds since the epoch."""
    return datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00")).timestamp()


def volume_resource_from(row: Mapping[str, Any]) -> Resource:
    return Resource("volume", row["Name"], row["Name"], row.get("Labels") or {})


def image_from(row: Mapping[str, Any], tag: str) -> Resource | None:
    """An image as something that can be removed by ``tag``.

    An image's id in place of a tag stands for an image without any; one that has tags is somebody's.
    """
    if tag.startswith("sha256:") and row.get("RepoTags"):
        return None
    labels = (row.get("Config") or {}).get("Labels") or {}
    return Resource("image", tag, tag, labels, int(row.get("Size") or 0))


def base_image_from(row: Mapping[str, Any]) -> BaseImage:
    config = row.get("Config") or {}
    return BaseImage(
        str(row["Id"]),
        bool(config.get("OnBuild")),
        _environment(config.get("Env") or ()),
        str(config.get("WorkingDir") or "/"),
    )


def written_from(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """What a container wrote into its own file system, from what `docker diff` lists.

    Files that differ, and the topmost of what is new.
    """
    kinds = {str(row["Path"]): int(row["Kind"]) for row in rows}
    holders = {path.rpartition("/")[0] for path in kinds}
    changed = [path for path, kind in kinds.items() if kind == 0 and path not in holders]
    new = [path for path, kind in kinds.items() if kind == 1 and kinds.get(path.rpartition("/")[0]) != 1]
    return tuple(sorted([*changed, *new]))


def image_config_from(row: Mapping[str, Any]) -> ImageConfig:
    """How an image is run."""
    config = row.get("Config") or {}
    return ImageConfig(
        str(row["Id"]),
        tuple(config.get("Entrypoint") or ()),
        tuple(config.get("Cmd") or ()),
        _environment(config.get("Env") or ()),
        volumes_of_image_from(row),
    )


def volumes_of_image_from(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths that an image declares as VOLUME."""
    return tuple((row.get("Config") or {}).get("Volumes") or ())


def usage_from(row: Mapping[str, Any]) -> Usage:
    """What `docker system df` says."""
    images = row.get("Images") or ()
    return Usage(
        images={
            image["Id"]: max(0, int(image.get("Size") or 0) - max(0, int(image.get("SharedSize") or 0)))
            for image in images
        },
        tags={tag: image["Id"] for image in images for tag in image.get("RepoTags") or ()},
        volumes={
            volume["Name"]: max(0, int((volume.get("UsageData") or {}).get("Size") or 0))
            for volume in row.get("Volumes") or ()
        },
        containers={found["Id"]: int(found.get("SizeRw") or 0) for found in row.get("Containers") or ()},
        layers={layer["ID"]: bool(layer.get("Shared")) for layer in row.get("BuildCache") or ()},
    )


def project_subnets_from(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The IPv4 subnets of Compose's networks, by the networks' keys."""
    found = {}
    for row in rows:
        key = (row.get("Labels") or {}).get("com.docker.compose.network")
        for subnet in _subnets(row):
            if key and ":" not in subnet:
                found[str(key)] = subnet
    return found


def subnets_from(rows: Iterable[Mapping[str, Any]]) -> tuple[IPv4Network, ...]:
    """Every IPv4 subnet that one of these networks holds."""
    found = []
    for subnet in (subnet for row in rows for subnet in _subnets(row)):
        with contextlib.suppress(ValueError):
            found.append(IPv4Network(subnet, strict=False))
    return tuple(found)


def _subnets(row: Mapping[str, Any]) -> Iterator[str]:
    for config in (row.get("IPAM") or {}).get("Config") or ():
        if subnet := config.get("Subnet"):
            yield str(subnet)


def publishers_from(rows: Iterable[Mapping[str, Any]]) -> tuple[Publisher, ...]:
    """Every host port that one of these listed containers publishes, and whose it is."""
    return tuple(
        Publisher(
            _listed_name(row),
            (row.get("Labels") or {}).get(PROJECT_LABEL, ""),
            (row.get("Labels") or {}).get(FOLDER_LABEL, ""),
            str(port.get("IP") or ""),
            int(port["PublicPort"]),
            str(port.get("Type") or "tcp"),
        )
        for row in rows
        for port in row.get("Ports") or ()
        if port.get("PublicPort")
    )


def writable_mounts_from(
    rows: Iterable[Mapping[str, Any]], volumes: Iterable[Mapping[str, Any]]
) -> tuple[WritableMount, ...]:
    """What these listed containers may write of the engine's machine; ``volumes`` are all that there are."""
    folders = {}
    for volume in volumes:
        options = volume.get("Options") or {}
        if {"bind", "rbind"} & {*str(options.get("o") or "").split(",")} and options.get("device"):
            folders[volume["Name"]] = str(options["device"])
    return tuple(
        WritableMount(
            _listed_name(row),
            (row.get("Labels") or {}).get(PROJECT_LABEL, ""),
            str(row.get("Image") or ""),
            source,
            str(mount.get("Destination") or ""),
        )
        for row in rows
        for mount in row.get("Mounts") or ()
        if mount.get("RW") and (source := _mounted_folder(mount, folders))
    )


def _mounted_folder(mount: Mapping[str, Any], folders: Mapping[str, str]) -> str:
    if mount.get("Type") == "bind":
        return str(mount.get("Source") or "")
    return folders.get(str(mount.get("Name") or ""), "")


def _listed_name(row: Mapping[str, Any]) -> str:
    return str((row.get("Names") or ["/" + row["Id"][:12]])[0]).lstrip("/")

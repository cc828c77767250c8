"""PURE: what the engine lists: containers, networks and volumes, what each takes and holds."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from ipaddress import IPv4Network
from typing import Any

from tasklib.stacks.engine.values import (
    FOLDER_LABEL,
    PROJECT_LABEL,
    Publisher,
    Resource,
    Usage,
    WritableMount,
)

__all__ = [
    "age_of",
    "busy_from",
    "container_resource_from",
    "network_resource_from",
    "project_subnets_from",
    "publishers_from",
    "subnets_from",
    "usage_from",
    "volume_resource_from",
    "writable_mounts_from",
]


def busy_from(rows: Iterable[Mapping[str, Any]]) -> int:
    """How many Compose projects the running containers are of; one without a project counts for itself."""
    return len({(row.get("Labels") or {}).get(PROJECT_LABEL) or row["Id"] for row in rows})


def container_resource_from(row: Mapping[str, Any]) -> Resource:
    """A container as `docker ps` lists it, as something that can be removed."""
    return Resource("container", row["Id"], _listed_name(row), row.get("Labels") or {})


def network_resource_from(row: Mapping[str, Any]) -> Resource:
    return Resource("network", row["Id"], row["Name"], row.get("Labels") or {})


def volume_resource_from(row: Mapping[str, Any]) -> Resource:
    return Resource("volume", row["Name"], row["Name"], row.get("Labels") or {})


def age_of(row: Mapping[str, Any], now: str) -> float:
    """Seconds since a volume was made; none for one of which that is not known: it is taken for new."""
    try:
        return max(0.0, _moment(now) - _moment(str(row.get("CreatedAt") or "")))
    except ValueError:
        return 0.0


def _moment(text: str) -> float:
    """``2026-05-01T10:00:00.123456789Z``, or with an offset, in seconds since the epoch."""
    return datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00")).timestamp()


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

"""What can be seen of an engine's place and of ours: whose network, which address, which container."""

from __future__ import annotations

import contextlib
import ipaddress
import platform
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tasklib.reach import Own, Seen
from tasklib.stacks.subnets import host_routes

__all__ = ["container_ids", "look", "own_from"]

_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""What Docker and Podman put into every container."""

_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def look(
    client: Any,
    info: Mapping[str, Any],
    host: str,
    *,
    forwards: bool,
    makes_bridge_late: bool = False,
) -> Seen:
    """Look around.

    ``client`` is the SDK's, ``info`` what the engine says of itself, ``host`` its URL as Docker writes it
    ("": the usual socket). ``makes_bridge_late``: as Podman, only once something runs on it.
    """
    split = urlsplit(host)
    elsewhere = split.hostname if split.scheme not in ("", "unix", "npipe", "fd") else None
    address = _address(elsewhere or "")
    port = split.scheme != "ssh" and bool(address) and ipaddress.ip_address(address).is_loopback
    contained = any(mark.exists() for mark in _MARKS)
    local = elsewhere is None or port
    # An engine at the other end of a tunnel, in a virtual machine or rootless has a bridge of the same
    # address as one that is here.
    named = info.get("Name") == platform.node()
    ours = not forwards and (not port or named)
    return Seen(
        f"{split.scheme}://{split.netloc.rpartition('@')[2]}{split.path}" if host else "the usual socket",
        local,
        port=port,
        contained=contained,
        own=_own(client, contained=contained),
        same_network=local and ours and ((makes_bridge_late and named) or _has_bridge(client)),
        forwards=forwards,
        named=named,
        address="" if port else address,
        neighbour=contained and not port and _is_neighbour(address),
        ssh=split.scheme == "ssh",
    )


def _address(host: str) -> str:
    """The address that ``host`` names, IPv4 where there is one; empty where it has none."""
    with contextlib.suppress(OSError, UnicodeError):
        found = [(family, where[0]) for family, *_, where in socket.getaddrinfo(host, None)] if host else []
        for _, address in sorted(found, key=lambda pair: pair[0] != socket.AF_INET):
            return str(address)
    return ""


def _is_neighbour(address: str) -> bool:
    """Whether it is on a private network that we are on ourselves."""
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return found.is_private and any(found in network for network in host_routes())


def _has_bridge(client: Any) -> bool:
    """Whether the gateway of the engine's default bridge is an address of this network namespace."""
    if platform.system() != "Linux":
        return True
    try:
        config = client.inspect_network("bridge")["IPAM"]["Config"][0]
        subnet = ipaddress.IPv4Network(config["Subnet"])
    except Exception:
        return True
    return _is_ours(str(config.get("Gateway") or subnet.network_address + 1))


def _is_ours(address: str) -> bool:
    """Whether it is an address of this network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


# -- our own container ---------------------------------------------------------------------------------------


def _own(client: Any, *, contained: bool) -> Own | None:
    """The container that we are in, where this engine has it.

    Its id stands in the names of its control group, or of the files that every container gets. Where those
    are hidden, its host name may be the start of it: that one has to have an address of ours, too.
    """
    for candidate in container_ids(_read("/proc/self/cgroup"), _read("/proc/self/mountinfo")):
        if row := _inspected(client, candidate):
            return own_from(_networked(client, row), row)
    if contained and (row := _inspected(client, platform.node())):
        addresses = [str(n.get("IPAddress") or "") for n in _networks(row)]
        named = row["Id"].startswith(platform.node()) or row["Config"].get("Hostname") == platform.node()
        if named and any(_is_ours(address) for address in addresses if address):
            return own_from(row, row)
    return None


def container_ids(cgroup: str, mountinfo: str) -> tuple[str, ...]:
    """PURE: the ids of containers that may be ours, from ``/proc/self/cgroup`` and ``mountinfo``."""
    return tuple(dict.fromkeys(_ids(cgroup, mountinfo)))


def _ids(cgroup: str, mountinfo: str) -> Iterator[str]:
    for line in cgroup.splitlines():
        yield from _ID.findall(line.partition(":")[2])
    for line in mountinfo.splitlines():
        fields = line.split()
        # The files that the engine makes for each container: …/containers/<id>/hostname at /etc/hostname.
        if len(fields) > 4 and fields[4] in ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf"):
            yield from _ID.findall(fields[3])


def _inspected(client: Any, name: str) -> Mapping[str, Any] | None:
    try:
        row: Mapping[str, Any] = client.inspect_container(name)
    except Exception:
        return None
    return row if row.get("State", {}).get("Running") else None


def _networked(client: Any, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container whose network ``row`` uses: its own mostly, another's in a pod or beside a service."""
    kind, _, other = _mode(row).partition(":")
    found = _inspected(client, other) if kind == "container" else None
    return found or row


def _mode(row: Mapping[str, Any]) -> str:
    return str((row.get("HostConfig") or {}).get("NetworkMode") or "")


def _networks(row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    found: Mapping[str, Any] = (row.get("NetworkSettings") or {}).get("Networks") or {}
    return found.values()


def own_from(networked: Mapping[str, Any], row: Mapping[str, Any]) -> Own:
    """PURE: what `docker inspect` says of us (``row``), and of the container whose network we use."""
    mounts = tuple(dict([*_mounted(row), *_in_memory(row)]).items())
    mode = _mode(networked)
    return Own(str(networked["Id"]), mode == "host", mounts, alone=mode == "none")


def _mounted(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    host = row.get("HostConfig") or {}
    below = {
        str(asked.get("Target")): str((asked.get("VolumeOptions") or {}).get("Subpath") or "")
        for asked in host.get("Mounts") or ()
    }
    for mount in row.get("Mounts") or ():
        here, there = str(mount["Destination"]), str(mount.get("Source") or "")
        if mount.get("Type") != "bind" and mount.get("Driver") != "local":
            there = ""
        # Of a volume's folder that alone was asked for, the engine tells where the volume is.
        yield here, f"{there}/{part}" if there and (part := below.get(here, "").strip("/")) else there


def _in_memory(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for here in (row.get("HostConfig") or {}).get("Tmpfs") or ():
        yield str(here), ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""

"""Data stores known by their images: where their data lies, and which of it can live in memory."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from tasklib.stacks.rewrite.draft import Draft
from tasklib.stacks.servers import known_server

__all__ = ["holds_data", "in_memory", "keep_in_memory", "leaning", "stores"]

_RULE = "memory"


def keep_in_memory(draft: Draft) -> None:
    """The volume of a known data store is a tmpfs, where one service alone has it and nothing limits memory.

    It stays a volume (of the ``local`` driver, with tmpfs as its file system), so that it has a name and
    labels and is found and removed like every other. Its data is gone when its last container stops.
    """
    if draft.facts.kept or "all" in draft.facts.persistent:
        return
    users = _users(draft)
    borrowed = _borrowed(draft)
    for key, volume in draft.section("volumes").items():
        mounts = users.get(key, [])
        if len(mounts) != 1 or volume.get("external") or volume.get("driver_opts"):
            continue
        [(name, mount)] = mounts
        service = draft.config["services"][name]
        if {key, name, draft.copies.get(name, name)} & draft.facts.persistent or name in borrowed:
            continue
        if volume.get("driver") not in (None, "", "local", "default"):
            continue
        if (
            not holds_data(service, mount)
            or _is_limited(service)
            or (mount.get("volume") or {}).get("subpath")
        ):
            continue
        if (options := _options(service)) is not None:
            why = f"{name} is a data store of a test: its data lives in memory"
            draft.put(("volumes", key, "driver_opts"), options, _RULE, why)


def in_memory(config: Mapping[str, Any]) -> frozenset[str]:
    """The services of an isolated config whose data is gone when their container stops."""
    volumes: Mapping[str, Any] = config.get("volumes") or {}
    held = {
        key
        for key, volume in volumes.items()
        if ((volume or {}).get("driver_opts") or {}).get("type") == "tmpfs"
    }
    return frozenset(
        name
        for name, service in config["services"].items()
        for mount in service.get("volumes") or ()
        if mount.get("type") == "volume" and mount.get("source") in held
    )


def stores(config: Mapping[str, Any]) -> frozenset[str]:
    """The services of an isolated config that hold data: in volumes, in memory, or as known data stores."""
    return frozenset(
        name
        for name, service in config["services"].items()
        if any(mount.get("type") in ("volume", "tmpfs") for mount in service.get("volumes") or ())
        or service.get("tmpfs")
        or ((server := known_server(str(service.get("image") or ""))) and server.data)
    )


def leaning(config: Mapping[str, Any], wanted: frozenset[str]) -> frozenset[str]:
    """The services that depend on ``wanted``, or on what does: their file says so, or a value names one."""
    found = wanted
    while True:
        more = {name for name, service in config["services"].items() if _names(service, found)}
        if more <= found:
            return found - wanted
        found |= more


def _names(service: Mapping[str, Any], others: frozenset[str]) -> bool:
    said = {
        *(service.get("depends_on") or ()),
        *(str(x).partition(":")[0] for x in service.get("links") or ()),
    }
    values = [str(value) for value in (service.get("environment") or {}).values()]
    host = re.compile(r"(?<![\w.-])(?:" + "|".join(map(re.escape, sorted(others))) + r")(?![\w.-])")
    return bool(others & said) or bool(others and any(host.search(value) for value in values))


def _users(draft: Draft) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    users: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for name, service in draft.services():
        for mount in service.get("volumes") or []:
            if mount.get("type") == "volume" and mount.get("source"):
                users.setdefault(mount["source"], []).append((name, mount))
    return users


def _borrowed(draft: Draft) -> set[str]:
    entries = (entry for _, service in draft.services() for entry in service.get("volumes_from") or [])
    return {str(entry).partition(":")[0] for entry in entries}


def holds_data(service: dict[str, Any], mount: dict[str, Any]) -> bool:
    """Whether a mount is where a known data store keeps its data."""
    target = posixpath.normpath(str(mount.get("target")))
    server = known_server(str(service.get("image") or ""))
    if server is None or not server.in_memory:
        return False
    folders = list(server.data)
    moved = server.baking.data_variable if server.baking else ""
    if own := (service.get("environment") or {}).get(moved):
        folders.append(posixpath.normpath(str(own)))
    data = any(target == folder or target.startswith(f"{folder}/") for folder in folders)
    return data and not service.get("build") and not mount.get("read_only")


def _is_limited(service: dict[str, Any]) -> bool:
    """Whether files in memory would count against a limit."""
    limits = ((service.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    return bool(service.get("mem_limit") or limits.get("memory"))


def _options(service: dict[str, Any]) -> dict[str, str] | None:
    """Options of the volume; ``None`` where nobody knows whose the folder has to be."""
    options = {"type": "tmpfs", "device": "tmpfs"}
    user = str(service.get("user") or "")
    if user in ("", "root", "0", "0:0", "root:root"):
        return options
    owner = re.fullmatch(r"(\d+)(?::(\d+))?", user)
    if owner is None:
        return None
    return {**options, "o": f"uid={owner[1]}" + (f",gid={owner[2]}" if owner[2] else "")}

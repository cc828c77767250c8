"""PURE: what the engine answers about itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tasklib.stacks.engine.values import EngineFacts, Users

__all__ = ["facts_from", "forwards_ports", "is_podman"]


def facts_from(info: Mapping[str, Any], version: Mapping[str, Any], endpoint: str) -> EngineFacts:
    """What `docker info` and `docker version` say of the engine that answers at ``endpoint``."""
    major, minor = str(version["ApiVersion"]).split(".")[:2]
    return EngineFacts(
        id=_id(info, version),
        version=str(info["ServerVersion"]),
        api=(int(major), int(minor)),
        cpus=int(info["NCPU"]),
        endpoint=endpoint,
        remote=not endpoint.startswith(("http+docker://localhost", "http+docker://localnpipe")),
        name=str(info.get("Name") or ""),
        memory=int(info.get("MemTotal") or 0),
        platform="/".join(filter(None, [info.get("OSType"), info.get("Architecture")])),
        users=_users(info),
    )


def _users(info: Mapping[str, Any]) -> Users:
    options = " ".join(map(str, info.get("SecurityOptions") or ()))
    if "name=rootless" in options:
        return Users.OURS
    return Users.SHIFTED if "name=userns" in options else Users.SAME


def _id(info: Mapping[str, Any], version: Mapping[str, Any]) -> str:
    """What an engine is known by. Podman's own id is another one each time that it is asked: it is known by
    where it keeps its images."""
    if not is_podman(version):
        return str(info["ID"])
    place = f"{info.get('Name')} {info.get('DockerRootDir')}"
    return f"podman-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def is_podman(version: Mapping[str, Any]) -> bool:
    """Whether it is Podman, which speaks Docker's API."""
    parts = version.get("Components") or ()
    return any(str(part.get("Name")).lower().startswith("podman") for part in parts)


def forwards_ports(info: Mapping[str, Any]) -> bool:
    """Engines in a virtual machine or rootless: they forward published ports to our loopback themselves."""
    system = str(info.get("OperatingSystem", "")).lower()
    rootless = any("rootless" in str(option) for option in info.get("SecurityOptions") or ())
    return rootless or "desktop" in system or "orbstack" in system

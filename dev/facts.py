"""What the decisions are made from: plain values about the host and its engine."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LOCAL_ENDPOINTS", "Engine", "Host", "Reach", "host_from", "reach_of", "version_of"]

LOCAL_ENDPOINTS = frozenset({"", "unix:///var/run/docker.sock", "unix:///run/docker.sock"})
"""The endpoints that a daemon started here listens on."""


@dataclass(frozen=True)
class Host:
    """The machine: `distribution` and `codename` as in os-release ("debian", "bookworm"), `version` its
    leading number (0 where there is none, as on Debian's testing)."""

    distribution: str
    codename: str
    version: int
    root: bool
    systemd: bool

    @property
    def packaged(self) -> bool:
        """Whether this tool knows how to install packages here."""
        old = self.distribution == "debian" and 0 < self.version < 12
        return self.distribution in {"debian", "ubuntu"} and not old

    @property
    def name(self) -> str:
        return {"debian": "Debian", "ubuntu": "Ubuntu"}.get(
            self.distribution, self.distribution or "this system"
        )


class Reach(enum.Enum):
    """What came back from the engine's endpoint."""

    ANSWERS = "answers"
    SILENT = "silent"
    DENIED = "denied"
    INCOMPATIBLE = "incompatible"


@dataclass(frozen=True)
class Engine:
    """The engine as the Docker client sees it.

    `endpoint` is what DOCKER_HOST or the context names, "" when there is no client to ask; `reason` the
    client's words when it does not answer; `daemon` whether dockerd is installed; `upstream` whether it is
    Docker's own package (docker-ce), whose plugins have other names; `compose` whether Compose v2 runs.
    """

    endpoint: str = ""
    reach: Reach = Reach.SILENT
    reason: str = ""
    client: bool = False
    daemon: bool = False
    upstream: bool = False
    compose: bool = False
    version: str = ""
    compose_version: str = ""

    @property
    def usable(self) -> bool:
        return self.reach is Reach.ANSWERS and self.compose


def host_from(os_release: Mapping[str, str], *, root: bool, systemd: bool) -> Host:
    """The host described by the fields of os-release."""
    number = re.match(r"\d+", os_release.get("VERSION_ID", ""))
    return Host(
        distribution=os_release.get("ID", "").lower(),
        codename=os_release.get("VERSION_CODENAME", "").lower(),
        version=int(number.group()) if number else 0,
        root=root,
        systemd=systemd,
    )


def reach_of(error: str) -> Reach:
    """What the words of a Docker client that got no version say about the engine."""
    said = error.lower()
    if "permission denied" in said:
        return Reach.DENIED
    return Reach.INCOMPATIBLE if "api version" in said else Reach.SILENT


def version_of(text: str) -> tuple[int, ...]:
    """The first dotted number in `text` ("v20.19.2" gives (20, 19, 2)); () when there is none."""
    found = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()

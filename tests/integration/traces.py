"""What a test leaves on the engine and among the processes, found without any help of tasklib."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import docker
import docker.errors

__all__ = ["Observer", "Traces"]


class Traces:
    """Everything on the engine that carries ``token``: in a name, in a label, in an image's tags."""

    def __init__(self, api: Any, token: str) -> None:
        self.token = token
        self._api = api

    @property
    def mark(self) -> str:
        """A label for the images of a test's Dockerfiles: what has lost its tag is found by it."""
        return f"tests.token={self.token}"

    def containers(self) -> list[dict[str, Any]]:
        return [row for row in self._api.containers(all=True) if self._is_mine(row)]

    def states(self) -> set[str]:
        """What the containers do: created, running, exited, …"""
        return {row["State"] for row in self.containers()}

    def networks(self) -> list[dict[str, Any]]:
        return [row for row in self._api.networks() if self._is_mine(row)]

    def volumes(self) -> list[dict[str, Any]]:
        return [row for row in self._api.volumes().get("Volumes") or () if self._is_mine(row)]

    def images(self) -> list[str]:
        """The tags that were built."""
        return sorted(
            tag for row in self._api.images() for tag in row.get("RepoTags") or () if self.token in tag
        )

    def dangling(self) -> list[str]:
        return [row["Id"] for row in self._api.images(filters={"label": [self.mark], "dangling": True})]

    def layers(self) -> list[str]:
        """What the build cache holds of a step that names the token."""
        cache = self._api.df().get("BuildCache") or ()
        return [row["ID"] for row in cache if self.token in row.get("Description", "")]

    def projects(self) -> set[str]:
        """The Compose projects of the containers there are."""
        return {row["Labels"]["com.docker.compose.project"] for row in self.containers()}

    def left(self) -> list[str]:
        """All that a run must not leave, in words; tagged images are kept for the next run on purpose."""
        return [
            *(f"container {row['Names'][0]} ({row['Status']})" for row in self.containers()),
            *(f"network {row['Name']}" for row in self.networks()),
            *(f"volume {row['Name']}" for row in self.volumes()),
            *(f"dangling image {image}" for image in self.dangling()),
        ]

    def remove(self) -> None:
        """Remove all of it, tagged images included."""
        for row in self.containers():
            self._quietly(self._api.remove_container, row["Id"], force=True, v=True)
        for row in self.networks():
            self._quietly(self._api.remove_network, row["Id"])
        for row in self.volumes():
            self._quietly(self._api.remove_volume, row["Name"], force=True)
        for image in [*self.images(), *self.dangling()]:
            self._quietly(self._api.remove_image, image, force=True)

    def _is_mine(self, row: Mapping[str, Any]) -> bool:
        return self.token in json.dumps(row)

    @staticmethod
    def _quietly(remove: Any, *arguments: Any, **options: Any) -> None:
        with contextlib.suppress(docker.errors.APIError):
            remove(*arguments, **options)


def processes_of(state: Path) -> list[str]:
    """The command lines of processes that use the state folder ``state``: reapers, forgotten children."""
    wanted = f"XDG_STATE_HOME={state}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if line.strip()]


def until(condition: Any, patience: float = 20.0) -> bool:
    """Whether ``condition()`` holds within ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@dataclass
class Seen:
    """A container as it was seen running."""

    project: str
    service: str
    ports: set[int] = field(default_factory=set)


class Observer:
    """Watches the engine while a command runs: what existed meanwhile, and what two had in common."""

    def __init__(self, token: str) -> None:
        self._api = docker.from_env(timeout=60).api
        self._token = token
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.containers: dict[str, Seen] = {}
        """By name."""
        self.networks: dict[str, set[str]] = {}
        """The subnets by name."""
        self.clashes: list[str] = []
        """A name that two had at one time."""

    @property
    def projects(self) -> set[str]:
        return {seen.project for seen in self.containers.values()}

    def __enter__(self) -> Observer:
        self._events = self._api.events(decode=True, filters={"type": ["container", "network"]})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(Exception):
            self._events.close()
        self._thread.join(10)
        self._api.close()

    def _follow(self) -> None:
        with contextlib.suppress(Exception):
            for event in self._events:
                if self._token in json.dumps(event):
                    with contextlib.suppress(docker.errors.APIError):
                        self._look(event)

    def _look(self, event: Mapping[str, Any]) -> None:
        match event["Type"], event["Action"]:
            case "container", "start":
                row = self._api.inspect_container(event["Actor"]["ID"])
                labels = row["Config"]["Labels"]
                name = row["Name"].lstrip("/")
                seen = Seen(labels["com.docker.compose.project"], labels["com.docker.compose.service"])
                known = self.containers.setdefault(name, seen)
                bindings = (row["NetworkSettings"]["Ports"] or {}).values()
                known.ports |= {int(b["HostPort"]) for found in bindings for b in found or ()}
            case "network", "create":
                row = self._api.inspect_network(event["Actor"]["ID"])
                subnets = {config["Subnet"] for config in row["IPAM"]["Config"]}
                self.networks.setdefault(row["Name"], set()).update(subnets)


@contextlib.contextmanager
def observed(token: str) -> Iterator[Observer]:
    with Observer(token) as observer:
        yield observer

"""What a test leaves on the engine and among the processes, found without any help of tasklib."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from types import TracebackType
from typing import Any

import docker
import docker.errors

__all__ = ["Observer", "Traces", "processes_of", "until"]


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
        return [row for row in self._own_volumes() if not row["Name"].startswith("tasklib.claim.")]

    def claims(self) -> set[str]:
        """The Compose projects that somebody has claimed on the engine."""
        names = {row["Name"] for row in self._own_volumes()} - {row["Name"] for row in self.volumes()}
        return {name.removeprefix("tasklib.claim.") for name in names}

    def _own_volumes(self) -> list[dict[str, Any]]:
        return [row for row in self._api.volumes().get("Volumes") or () if self._is_mine(row)]

    def every_volume(self) -> set[str]:
        """The names of all volumes on the engine."""
        return {row["Name"] for row in self._api.volumes().get("Volumes") or ()}

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
        return self.left_of_stacks() + [f"claim of {project}" for project in sorted(self.claims())]

    def left_of_stacks(self) -> list[str]:
        """The same while a run lives, which has its claim."""
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
        for row in self._own_volumes():
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


def until(condition: Any, patience: float = 90.0) -> bool:
    """Whether ``condition()`` holds within ``patience`` seconds.

    It is asked less often the more each answer costs: what is waited for needs the processors.
    """
    deadline = time.monotonic() + patience
    while True:
        began = time.thread_time()
        if condition():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(max(0.05, 19 * (time.thread_time() - began)))


@dataclass(frozen=True)
class Seen:
    """A container as it was seen running: its Compose project and service, and what it used."""

    project: str
    service: str
    networks: frozenset[str]
    volumes: frozenset[str]
    image: str


class Observer:
    """Watches the engine while a command runs: what existed meanwhile, and what two used at one time."""

    def __init__(self, token: str) -> None:
        self._api = docker.from_env(timeout=60).api
        self._token = token
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._ports: dict[int, str] = {}
        self._subnets: dict[str, list[IPv4Network]] = {}
        self.containers: dict[str, Seen] = {}
        """By name."""
        self.networks: set[str] = set()
        self.clashes: list[str] = []
        """Ports and subnets that two had at one time."""
        self.published: set[int] = set()
        """Every port of the machine's that a container of a stack had."""

    @property
    def projects(self) -> set[str]:
        return {seen.project for seen in self.containers.values()}

    @property
    def volumes(self) -> set[str]:
        """The volumes that containers used, those without a name of their own included."""
        return {volume for seen in self.containers.values() for volume in seen.volumes}

    def shared(self) -> dict[str, set[str]]:
        """The networks, volumes and images of ours that containers of several Compose projects used."""
        users: dict[str, set[str]] = {}
        for seen in self.containers.values():
            own_image = {f"image {seen.image}"} if self._token in seen.image else set()
            used = {f"network {name}" for name in seen.networks} | {f"volume {name}" for name in seen.volumes}
            for what in used | own_image:
                users.setdefault(what, set()).add(seen.project)
        return {what: projects for what, projects in users.items() if len(projects) > 1}

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
        actor = event["Actor"]["ID"]
        match event["Type"], event["Action"]:
            case "container", "start":
                self._container(self._api.inspect_container(actor))
            case "container", "die":
                self._ports = {port: owner for port, owner in self._ports.items() if owner != actor}
            case "network", "create":
                self._network(self._api.inspect_network(actor))
            case "network", "destroy":
                self._subnets.pop(actor, None)

    def _container(self, row: Mapping[str, Any]) -> None:
        labels, network = row["Config"]["Labels"], row["NetworkSettings"]
        name = row["Name"].lstrip("/")
        self.containers[name] = Seen(
            labels["com.docker.compose.project"],
            labels["com.docker.compose.service"],
            frozenset(network["Networks"]),
            frozenset(mount["Name"] for mount in row["Mounts"] if mount["Type"] == "volume"),
            row["Config"]["Image"],
        )
        for binding in (b for found in (network["Ports"] or {}).values() for b in found or ()):
            self.published.add(int(binding["HostPort"]))
            if self._ports.setdefault(int(binding["HostPort"]), row["Id"]) != row["Id"]:
                self.clashes.append(f"port {binding['HostPort']} of {name}")

    def _network(self, row: Mapping[str, Any]) -> None:
        self.networks.add(row["Name"])
        subnets = [IPv4Network(config["Subnet"]) for config in row["IPAM"]["Config"]]
        living = [subnet for found in self._subnets.values() for subnet in found]
        self.clashes += [
            f"subnet {subnet} of {row['Name']}" for subnet in subnets if any(map(subnet.overlaps, living))
        ]
        self._subnets[row["Id"]] = subnets

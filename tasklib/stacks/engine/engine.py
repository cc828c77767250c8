"""The only user of the Docker SDK: what runs, what is owned, and what happens, as typed values."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from tasklib.results import LogLine
from tasklib.stacks.engine.connection import connect
from tasklib.stacks.engine.patience import Heart, translated
from tasklib.stacks.engine.values import (
    PROJECT_LABEL,
    BaseImage,
    Container,
    EngineFacts,
    Publisher,
    Resource,
    container_from,
    log_line_from,
)
from tasklib.stacks.engine.watch import Watch

__all__ = ["Engine"]

_BUSY = 5.0
"""Seconds for which the engine may do its accounting for others before ours is given up."""


class Engine:
    """A connection to the engine that the current context or DOCKER_HOST names; safe to share by threads."""

    def __init__(self, client: Any, facts: EngineFacts) -> None:
        self._api = client
        self.facts = facts
        self.heart = Heart(client)

    @classmethod
    def connect(cls, *, remote: bool = False) -> Engine:
        """Connect and learn what the engine is.

        Raises :class:`~tasklib.errors.EngineError` when there is none, or, unless ``remote`` ones will do,
        one whose published ports are not reachable on this machine's loopback interface.
        """
        return cls(*connect(remote=remote))

    def close(self) -> None:
        self._api.close()

    @translated
    def containers(self, project: str) -> tuple[Container, ...]:
        """The containers of a Compose project, one-off ones left out, ordered by name."""
        found = self._api.containers(all=True, filters={"label": [f"{PROJECT_LABEL}={project}"]})
        inspected = [self._inspect(row["Id"]) for row in found]
        return tuple(sorted((c for c in inspected if c), key=lambda container: container.name))

    def _inspect(self, container_id: str) -> Container | None:
        import docker.errors

        try:
            return container_from(self._api.inspect_container(container_id))
        except docker.errors.NotFound:
            return None

    @contextlib.contextmanager
    def watch(self, project: str) -> Iterator[Watch]:
        """A :class:`~tasklib.stacks.engine.watch.Watch` on the containers of ``project``."""
        events = self._events(project)
        watch = Watch(lambda: self.containers(project), self._container)
        thread = threading.Thread(target=watch.follow, args=(events,), daemon=True, name=f"watch {project}")
        thread.start()
        try:
            yield watch
        finally:
            with contextlib.suppress(Exception):
                events.close()

    @translated
    def _container(self, container_id: str) -> Container | None:
        return self._inspect(container_id)

    @translated
    def _events(self, project: str) -> Any:
        return self._api.events(
            decode=True,
            filters={
                "type": "container",
                "label": [f"{PROJECT_LABEL}={project}"],
                "event": ["create", "start", "die", "oom", "destroy", "health_status", "kill", "pause"],
            },
        )

    @translated
    def start(self, container_id: str) -> None:
        """Start a created container. Raises :class:`~tasklib.errors.EngineError` with the engine's reason."""
        self._api.start(container_id)

    @translated
    def run_inside(self, container_id: str, argv: Sequence[str]) -> bool:
        """Whether ``argv`` ends with 0 inside a running container, within the patience for an answer."""
        import requests.exceptions

        started = self._api.exec_create(container_id, list(argv))["Id"]
        try:
            self._api.exec_start(started)
        except requests.exceptions.ReadTimeout:
            return False
        return bool(self._api.exec_inspect(started).get("ExitCode") == 0)

    @translated
    def logs(self, container_id: str, *, since: float = 0.0, tail: int = 200) -> tuple[LogLine, ...]:
        """The last ``tail`` lines of a container from ``since`` (seconds since the epoch) on."""
        import docker.errors

        try:
            raw: bytes = self._api.logs(
                container_id, stdout=True, stderr=True, timestamps=True, tail=tail, since=int(since) or None
            )
        except docker.errors.NotFound:
            return ()
        except docker.errors.APIError as error:
            if error.status_code == 409:
                return ()  # it is being removed
            raise
        return tuple(
            log_line_from(line) for line in raw.decode(errors="replace").splitlines() if line.strip()
        )

    @translated
    def owned(self, labels: Mapping[str, str], *, kinds: Iterable[str] = ()) -> tuple[Resource, ...]:
        """Containers, networks and volumes that carry all of ``labels`` (an empty value: any value)."""
        wanted = [f"{key}={value}" if value else key for key, value in labels.items()]
        filters = {"label": wanted}
        kinds = set(kinds) or {"container", "network", "volume"}
        found: list[Resource] = []
        if "container" in kinds:
            for row in self._api.containers(all=True, filters=filters):
                name = (row.get("Names") or ["/" + row["Id"][:12]])[0].lstrip("/")
                found.append(Resource("container", row["Id"], name, row.get("Labels") or {}))
        if "network" in kinds:
            for row in self._api.networks(filters=filters):
                found.append(Resource("network", row["Id"], row["Name"], row.get("Labels") or {}))
        if "volume" in kinds:
            for row in self._api.volumes(filters=filters).get("Volumes") or ():
                found.append(Resource("volume", row["Name"], row["Name"], row.get("Labels") or {}))
        return tuple(found)

    @translated
    def images(self, tags: Iterable[str]) -> tuple[Resource, ...]:
        """Those of the exact ``tags`` that exist, each as a resource whose id is the tag.

        An image's id among them stands for an image without any tag; one that has tags is somebody's.
        """
        import docker.errors

        found = []
        for tag in tags:
            with contextlib.suppress(docker.errors.NotFound):
                image = self._api.inspect_image(tag)
                if not tag.startswith("sha256:") or not image.get("RepoTags"):
                    labels = (image.get("Config") or {}).get("Labels") or {}
                    found.append(Resource("image", tag, tag, labels, int(image.get("Size") or 0)))
        return tuple(found)

    @translated
    def sized(self, resources: Iterable[Resource]) -> tuple[Resource, ...]:
        """The same with the bytes that removing each would free, as far as the engine's accounting tells."""
        resources = tuple(resources)
        usage = self._usage()
        images: dict[str, int] = {}
        for row in usage.get("Images") or ():
            alone = max(0, int(row.get("Size") or 0) - max(0, int(row.get("SharedSize") or 0)))
            # Of several tags of an image, removing the last one frees it; which one counts is all the same.
            names = [r.id for r in resources if r.id in (row["Id"], *(row.get("RepoTags") or ()))]
            images.update(dict.fromkeys(names[:1], alone))
        volumes = {
            row["Name"]: max(0, int((row.get("UsageData") or {}).get("Size") or 0))
            for row in usage.get("Volumes") or ()
        }
        containers = {row["Id"]: int(row.get("SizeRw") or 0) for row in usage.get("Containers") or ()}
        known = {"image": images, "volume": volumes, "container": containers, "network": {}}
        return tuple(replace(r, size=known[r.kind].get(r.id, 0)) for r in resources)

    @translated
    def cached_layers(self) -> dict[str, bool]:
        """The ids in the build cache, and whether an image has the same; empty while the engine is busy."""
        return {row["ID"]: bool(row.get("Shared")) for row in self._usage().get("BuildCache") or ()}

    def _usage(self) -> Mapping[str, Any]:
        """The engine's accounting. It refuses while it does the same for someone else; empty in the end."""
        import docker.errors

        deadline = time.monotonic() + _BUSY
        while True:
            try:
                return dict(self._api.df())
            except docker.errors.APIError as error:
                if "already running" not in str(error.explanation):
                    raise
            if time.monotonic() > deadline:
                return {}
            time.sleep(0.1)

    @translated
    def prune_layers(self, layers: Iterable[str]) -> None:
        """Remove exactly these of the build cache, but for what something else stands on or uses."""
        left = set(layers)
        pruned = True
        while left and pruned:
            # The engine takes one id at a time, as a pattern, and what stands on another has to go first.
            answers = [self._api.prune_builds(filters={"id": f"^{layer}$"}, all=True) for layer in left]
            pruned = bool(gone := {layer for answer in answers for layer in answer["CachesDeleted"] or ()})
            left -= gone

    @translated
    def image_volumes(self, image: str) -> tuple[str, ...] | None:
        """The paths an image declares as VOLUME; ``None`` when the image is not here."""
        import docker.errors

        try:
            config = self._api.inspect_image(image).get("Config") or {}
        except docker.errors.NotFound:
            return None
        return tuple(config.get("Volumes") or ())

    def image_id(self, tag: str) -> str | None:
        """The id of the image that ``tag`` names, ``None`` when there is none."""
        found = self.base_image(tag)
        return found.id if found else None

    @translated
    def base_image(self, tag: str) -> BaseImage | None:
        """The image that ``tag`` names, as something to build on; ``None`` when there is none."""
        import docker.errors

        try:
            found = self._api.inspect_image(tag)
        except docker.errors.NotFound:
            return None
        return BaseImage(str(found["Id"]), bool((found.get("Config") or {}).get("OnBuild")))

    @translated
    def tag(self, image: str, tag: str) -> None:
        repository, _, version = tag.rpartition(":")
        self._api.tag(image, repository, version)

    @translated
    def volume_labels(self, name: str) -> Mapping[str, str] | None:
        """The labels of a volume, ``None`` when there is none of that name."""
        import docker.errors

        try:
            return self._api.inspect_volume(name).get("Labels") or {}
        except docker.errors.NotFound:
            return None

    @translated
    def network_subnets(self, project: str) -> dict[str, str]:
        """The subnets that the networks of a Compose project hold now, by the networks' keys."""
        found = {}
        for row in self._api.networks(filters={"label": [f"{PROJECT_LABEL}={project}"]}):
            key = (row.get("Labels") or {}).get("com.docker.compose.network")
            for config in (row.get("IPAM") or {}).get("Config") or ():
                if key and ":" not in str(config.get("Subnet", ":")):
                    found[str(key)] = str(config["Subnet"])
        return found

    @translated
    def subnets(self) -> tuple[ipaddress.IPv4Network, ...]:
        """Every IPv4 subnet that a network of this engine holds."""
        found = []
        for row in self._api.networks():
            for config in (row.get("IPAM") or {}).get("Config") or ():
                with contextlib.suppress(ValueError, KeyError):
                    found.append(ipaddress.IPv4Network(config["Subnet"], strict=False))
        return tuple(found)

    @translated
    def publishers(self) -> tuple[Publisher, ...]:
        """Every host port that a container of this engine publishes, and whose it is."""
        found = []
        for row in self._api.containers():
            labels = row.get("Labels") or {}
            name = (row.get("Names") or ["/" + row["Id"][:12]])[0].lstrip("/")
            folder = labels.get("com.docker.compose.project.working_dir", "")
            for port in row.get("Ports") or ():
                if port.get("PublicPort"):
                    found.append(
                        Publisher(
                            name,
                            labels.get(PROJECT_LABEL, ""),
                            folder,
                            str(port.get("IP") or ""),
                            int(port["PublicPort"]),
                            str(port.get("Type") or "tcp"),
                        )
                    )
        return tuple(found)

    def remove(self, resources: Sequence[Resource]) -> tuple[Resource, ...]:
        """Remove all of ``resources``, containers first; returns those that are gone now.

        What is gone already counts as removed. Raises :class:`~tasklib.errors.EngineError` when the engine
        stops answering; a single resource that cannot be removed is left out of the answer.
        """
        gone: list[Resource] = []
        # Containers hold networks and volumes; images may be held by containers. Two tags of one image at a
        # time are too much for the engine.
        for kinds in ({"container"}, {"network", "volume"}, {"image"}):
            batch = [resource for resource in resources if resource.kind in kinds]
            if batch:
                with ThreadPoolExecutor(1 if "image" in kinds else min(8, len(batch))) as pool:
                    done = pool.map(self._remove, batch)
                    gone += [resource for resource, removed in zip(batch, done, strict=True) if removed]
        return tuple(gone)

    @translated
    def _remove(self, resource: Resource) -> bool:
        import docker.errors

        try:
            if resource.kind == "container":
                self._api.remove_container(resource.id, force=True, v=True)
            elif resource.kind == "network":
                self._api.remove_network(resource.id)
            elif resource.kind == "volume":
                self._api.remove_volume(resource.id, force=True)
            else:
                self._api.remove_image(resource.id)
        except docker.errors.NotFound:
            return True
        except docker.errors.APIError as error:
            return bool(error.status_code == 409 and "in progress" in str(error.explanation))
        return True

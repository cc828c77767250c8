"""The engine that Docker's SDK speaks to."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network
from typing import Any, BinaryIO

from tasklib.results import LogLine
from tasklib.stacks.engine.answers import (
    age_of,
    base_image_from,
    container_from,
    container_id_from,
    container_resource_from,
    image_config_from,
    image_from,
    log_lines_from,
    network_resource_from,
    project_subnets_from,
    publishers_from,
    subnets_from,
    usage_from,
    volume_resource_from,
    volumes_of_image_from,
    writable_mounts_from,
    written_from,
)
from tasklib.stacks.engine.connection import Connection, connect
from tasklib.stacks.engine.forwarding import forwarded
from tasklib.stacks.engine.inheritance import inherits, may_inherit
from tasklib.stacks.engine.membership import Membership
from tasklib.stacks.engine.patience import Heart, translated
from tasklib.stacks.engine.values import (
    PROJECT_LABEL,
    BaseImage,
    Container,
    Errand,
    ImageConfig,
    Publisher,
    Resource,
    Usage,
    WritableMount,
    with_sizes,
)
from tasklib.stacks.engine.watch import Watch
from tasklib.stacks.reach import Way

__all__ = ["DockerEngine"]

_COMMIT = 600.0
"""Seconds that making an image of a container may take: it copies all that was written."""

_COPY = 300.0
"""Seconds that the engine may take for unpacking what is copied into a container."""

_BUSY = 5.0
"""Seconds for which the engine may do its accounting for others before ours is given up."""


class DockerEngine:
    """The engine that the current context or DOCKER_HOST names."""

    def __init__(self, connection: Connection) -> None:
        client, facts = connection.client, connection.facts
        self._api = client
        self.facts = facts
        self._connection = connection
        self._membership = Membership(client, facts)
        self.heart = Heart(
            lambda timeout: client.get(f"{client.base_url}/_ping", timeout=timeout), connection.tunnel
        )

    @classmethod
    def connect(cls, wanted: Way | None = None, *, strict: bool = True) -> DockerEngine:
        """Connect and learn what the engine is; see :func:`~tasklib.stacks.engine.connection.connect`."""
        return cls(connect(wanted, strict=strict))

    def close(self) -> None:
        self._connection.held.close()

    @translated
    def containers(self, project: str) -> tuple[Container, ...]:
        found = self._api.containers(all=True, filters={"label": [f"{PROJECT_LABEL}={project}"]})
        inspected = [self._member(row["Id"]) for row in found]
        return tuple(sorted((c for c in inspected if c), key=lambda container: container.name))

    def _member(self, container_id: str) -> Container | None:
        """A container of a project, ``None`` where there is none or it only has the labels of one."""
        row = self._inspect(container_id)
        if row is None:
            return None
        container = self._seen(row)
        labels = (row.get("Config") or {}).get("Labels") or {}
        return None if self._inherits(labels, container.name, str(row.get("Image"))) else container

    def _seen(self, row: Mapping[str, Any]) -> Container:
        container = container_from(row, self._membership.networks)
        tunnel = self._connection.tunnel
        return forwarded(container, tunnel) if tunnel else container

    def _inspect(self, container_id: str) -> Mapping[str, Any] | None:
        import docker.errors

        try:
            return dict(self._api.inspect_container(container_id))
        except docker.errors.NotFound:
            return None

    def _inherits(self, labels: Mapping[str, str], name: str, image: str) -> bool:
        if not may_inherit(labels, name):
            return False
        return inherits(labels, self._labels(image))

    @contextlib.contextmanager
    def watch(self, project: str) -> Iterator[Watch]:
        events = self._events(project)
        watch = Watch(lambda: self.containers(project), self._one)
        changed = map(container_id_from, events)
        thread = threading.Thread(target=watch.follow, args=(changed,), daemon=True, name=f"watch {project}")
        thread.start()
        try:
            yield watch
        finally:
            with contextlib.suppress(Exception):
                events.close()

    @translated
    def _one(self, container_id: str) -> Container | None:
        return self._member(container_id)

    @translated
    def container(self, container_id: str) -> Container | None:
        row = self._inspect(container_id)
        return None if row is None else self._seen(row)

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
        self._api.start(container_id)

    @translated
    def run_inside(self, container_id: str, argv: Sequence[str]) -> bool:
        import requests.exceptions

        started = self._api.exec_create(container_id, list(argv))["Id"]
        try:
            self._api.exec_start(started)
        except requests.exceptions.ReadTimeout:
            return False
        return bool(self._api.exec_inspect(started).get("ExitCode") == 0)

    @translated
    def written(self, container_id: str) -> tuple[str, ...]:
        import docker.errors

        try:
            return written_from(self._api.diff(container_id) or ())
        except docker.errors.NotFound:
            return ()

    @translated
    def copy_out(self, container_id: str, path: str, target: BinaryIO) -> None:
        import docker.errors

        try:
            chunks, _ = self._api.get_archive(container_id, path)
            for chunk in chunks:
                target.write(chunk)
        except docker.errors.NotFound:
            return

    @translated
    def copy_in(self, container_id: str, folder: str, archive: BinaryIO) -> None:
        archive.seek(0)
        answer = self._api.put(
            f"{self._api.base_url}/v{self._api.api_version}/containers/{container_id}/archive",
            params={"path": folder},
            data=archive,
            timeout=_COPY,
        )
        self._api._raise_for_status(answer)

    @translated
    def create(self, errand: Errand) -> str:
        from docker.types import Mount

        mounts = [Mount(inside, path, "bind", read_only=True) for path, inside in errand.files]
        limits = {} if errand.shared_memory is None else {"shm_size": errand.shared_memory}
        return str(
            self._api.create_container(
                errand.image,
                list(errand.command),
                hostname=errand.hostname or None,
                environment=dict(errand.environment),
                labels=dict(errand.labels),
                host_config=self._api.create_host_config(network_mode="none", mounts=mounts, **limits),
            )["Id"]
        )

    @translated
    def stop(self, container_id: str, seconds: int) -> None:
        self._api.stop(container_id, timeout=seconds)

    @translated
    def commit(self, container_id: str, tag: str, image: ImageConfig) -> str:
        config = self._api.inspect_container(container_id)["Config"]
        repository, _, version = tag.rpartition(":")
        own = {row.partition("=")[0] for row in config.get("Env") or ()} - image.environment.keys()
        # The engine takes over whatever is not given: only another value keeps the container's out.
        answer = self._api.post(
            f"{self._api.base_url}/v{self._api.api_version}/commit",
            params={"container": container_id, "repo": repository, "tag": version, "pause": "false"},
            json={
                "Entrypoint": list(image.entrypoint),
                "Cmd": list(image.command),
                "Env": [f"{k}={v}" for k, v in (dict.fromkeys(own, "") | dict(image.environment)).items()],
                "Labels": dict.fromkeys(config.get("Labels") or (), "") | dict(self._labels(image.id) or {}),
            },
            timeout=_COMMIT,
        )
        return str(self._api._result(answer, json=True)["Id"])

    def _labels(self, image: str) -> Mapping[str, str] | None:
        row = self._image(image)
        return None if row is None else (row.get("Config") or {}).get("Labels") or {}

    @translated
    def logs(self, container_id: str, *, since: float = 0.0, tail: int = 200) -> tuple[LogLine, ...]:
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
        return log_lines_from(raw)

    @translated
    def owned(self, labels: Mapping[str, str], *, kinds: Iterable[str] = ()) -> tuple[Resource, ...]:
        filters = {"label": _filters(labels)}
        kinds = set(kinds) or {"container", "network", "volume"}
        found: list[Resource] = []
        if "container" in kinds:
            found += (resource for resource, inherits in self._listed(filters) if not inherits)
        if "network" in kinds:
            found += map(network_resource_from, self._api.networks(filters=filters))
        if "volume" in kinds:
            found += map(volume_resource_from, self._api.volumes(filters=filters).get("Volumes") or ())
        return tuple(found)

    @translated
    def inherited(self, labels: Mapping[str, str]) -> tuple[Resource, ...]:
        filters = {"label": _filters(labels)}
        return tuple(resource for resource, inherits in self._listed(filters) if inherits)

    def _listed(self, filters: Mapping[str, list[str]]) -> Iterator[tuple[Resource, bool]]:
        """Containers, each with whether it has its labels from its image."""
        for row in self._api.containers(all=True, filters=filters):
            found = container_resource_from(row)
            yield found, self._inherits(found.labels, found.name, str(row.get("ImageID")))

    @translated
    def images(self, tags: Iterable[str]) -> tuple[Resource, ...]:
        found = (image_from(row, tag) for tag in tags if (row := self._image(tag)) is not None)
        return tuple(image for image in found if image)

    def _image(self, tag: str) -> Mapping[str, Any] | None:
        import docker.errors

        try:
            return dict(self._api.inspect_image(tag))
        except docker.errors.NotFound:
            return None

    @translated
    def sized(self, resources: Iterable[Resource]) -> tuple[Resource, ...]:
        return with_sizes(resources, self._usage())

    @translated
    def cached_layers(self) -> Mapping[str, bool]:
        return self._usage().layers

    def _usage(self) -> Usage:
        """The engine's accounting. It refuses while it does the same for someone else; empty in the end."""
        import docker.errors

        deadline = time.monotonic() + _BUSY
        while True:
            try:
                return usage_from(self._api.df())
            except docker.errors.APIError as error:
                if "already running" not in str(error.explanation):
                    raise
            if time.monotonic() > deadline:
                return Usage()
            time.sleep(0.1)

    @translated
    def prune_layers(self, layers: Iterable[str]) -> None:
        left = set(layers)
        pruned = True
        while left and pruned:
            # The engine takes one id at a time, as a pattern, and what stands on another has to go first.
            answers = [self._api.prune_builds(filters={"id": f"^{layer}$"}, all=True) for layer in left]
            pruned = bool(gone := {layer for answer in answers for layer in answer["CachesDeleted"] or ()})
            left -= gone

    @translated
    def image_config(self, tag: str) -> ImageConfig | None:
        row = self._image(tag)
        return None if row is None else image_config_from(row)

    @translated
    def image_volumes(self, image: str) -> tuple[str, ...] | None:
        row = self._image(image)
        return None if row is None else volumes_of_image_from(row)

    def image_id(self, tag: str) -> str | None:
        found = self.base_image(tag)
        return found.id if found else None

    @translated
    def base_image(self, tag: str) -> BaseImage | None:
        row = self._image(tag)
        return None if row is None else base_image_from(row)

    @translated
    def tag(self, image: str, tag: str) -> None:
        repository, _, version = tag.rpartition(":")
        self._api.tag(image, repository, version)

    @translated
    def join(self, project: str) -> None:
        self._membership.join(project)

    @translated
    def named_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        return volume_resource_from(self._api.create_volume(name, labels=dict(labels))).labels

    @translated
    def volume_ages(self, label: str) -> tuple[tuple[Resource, float], ...]:
        rows = self._api.volumes(filters={"label": [label]}).get("Volumes") or ()
        now = self._api.info()["SystemTime"] if rows else ""
        return tuple((volume_resource_from(row), age_of(row, now)) for row in rows)

    @translated
    def volume_labels(self, name: str) -> Mapping[str, str] | None:
        import docker.errors

        try:
            return self._api.inspect_volume(name).get("Labels") or {}
        except docker.errors.NotFound:
            return None

    @translated
    def network_subnets(self, project: str) -> Mapping[str, str]:
        return project_subnets_from(self._api.networks(filters={"label": [f"{PROJECT_LABEL}={project}"]}))

    @translated
    def subnets(self) -> tuple[IPv4Network, ...]:
        return subnets_from(self._api.networks())

    @translated
    def publishers(self) -> tuple[Publisher, ...]:
        return publishers_from(self._api.containers())

    @translated
    def writable_mounts(self) -> tuple[WritableMount, ...]:
        return writable_mounts_from(self._api.containers(), self._api.volumes().get("Volumes") or ())

    def remove(self, resources: Sequence[Resource]) -> tuple[Resource, ...]:
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
                self._membership.remove(resource.id)
            elif resource.kind == "volume":
                self._api.remove_volume(resource.id, force=True)
            else:
                self._api.remove_image(resource.id)
        except docker.errors.NotFound:
            return True
        except docker.errors.APIError as error:
            return bool(error.status_code == 409 and "in progress" in str(error.explanation))
        return True


def _filters(labels: Mapping[str, str]) -> list[str]:
    """As the engine is asked for all of ``labels``; an empty value stands for any."""
    return [f"{key}={value}" if value else key for key, value in labels.items()]

"""An engine that holds everything in memory, for tests of what is done with an engine."""

from __future__ import annotations

import contextlib
import io
import itertools
import tarfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, BinaryIO

from msgspec.structs import replace

from tasklib.errors import EngineError, engine_stopped
from tasklib.reach import HERE
from tasklib.results import LogLine
from tasklib.stacks.engine.inheritance import inherits, may_inherit
from tasklib.stacks.engine.patience import Heart
from tasklib.stacks.engine.values import (
    FOLDER_LABEL,
    PROJECT_LABEL,
    SERVICE_LABEL,
    BaseImage,
    Container,
    EngineFacts,
    Errand,
    ImageConfig,
    Publisher,
    Resource,
    WritableMount,
)
from tasklib.stacks.engine.watch import Watch

__all__ = ["MemoryEngine"]

FACTS = EngineFacts("memory", "26.1", (1, 45), 2, "memory://", reach=replace(HERE, direct=False))


@dataclass
class _Entry:
    """A container: what is seen of it, what it carries and holds, what it runs and has said."""

    seen: Container
    labels: Mapping[str, str]
    argv: tuple[str, ...]
    uses: frozenset[str]
    said: list[LogLine]
    writes: tuple[tuple[str, str], ...] = ()


class MemoryEngine:
    """Containers are values. Their programs are ``sleep``, ``echo TEXT``, ``true`` and ``false``.

    ``started`` has the ids of all containers that were started, in that order; ``on_start`` is called with
    each one that runs from then on, and may change it or others. An engine that is not ``answering`` is one
    that has stopped.
    """

    def __init__(self, facts: EngineFacts = FACTS) -> None:
        self.facts = facts
        self.heart = Heart(self._ping)
        self.answering = True
        self.closed = False
        self.started: list[str] = []
        self.on_start: Callable[[Container], None] = lambda container: None
        self.checks: Callable[[Container], bool] = lambda container: True
        """Whether the health check of a container passes now."""
        self.stuck: set[str] = set()
        """Ids of what cannot be removed: something else uses it."""
        self.files: dict[str, dict[str, bytes]] = {}
        """What containers wrote, by their ids and by path."""
        self.ages: dict[str, float] = {}
        """How many seconds ago volumes were made, by their names; of others it is just now."""
        self.birth = "once"
        """When it started."""
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._containers: dict[str, _Entry] = {}
        self._others: dict[str, Resource] = {}
        self._subnets: dict[str, tuple[str, str]] = {}
        self._tags: dict[str, str] = {}
        self._volumes_of_images: dict[str, tuple[str, ...]] = {}
        self._labels_of_images: dict[str, Mapping[str, str]] = {}
        self._watches: list[tuple[str, Watch]] = []

    # -- what tests put there ----------------------------------------------------------------------------

    def add_container(
        self,
        project: str,
        service: str,
        argv: Sequence[str] = ("sleep", "600"),
        *,
        labels: Mapping[str, str] | None = None,
        uses: Iterable[str] = (),
        writes: Iterable[tuple[str, str]] = (),
        **details: Any,
    ) -> Container:
        """A created container of a Compose project; ``uses`` are ids of networks and volumes.

        ``writes`` are (folder of the engine's machine, path inside).
        """
        with self._lock:
            number = next(self._numbers)
            seen = Container(f"c{number}", f"{project}.{service}.{number}", project, service, "created")
            carried = {PROJECT_LABEL: project, SERVICE_LABEL: service, **(labels or {})}
            seen = replace(seen, **details)
            self._containers[seen.id] = _Entry(seen, carried, tuple(argv), frozenset(uses), [], tuple(writes))
        self._tell(seen)
        return seen

    def add_network(self, name: str, labels: Mapping[str, str], subnet: str = "") -> Resource:
        found = self._add("network", name, labels)
        if subnet:
            self._subnets[found.id] = (labels.get("com.docker.compose.network", ""), subnet)
        return found

    def add_volume(self, name: str, labels: Mapping[str, str]) -> Resource:
        return self._add("volume", name, labels)

    def _add(self, kind: Any, name: str, labels: Mapping[str, str]) -> Resource:
        with self._lock:
            key = name if kind == "volume" else f"{kind[0]}{next(self._numbers)}"
            self._others[key] = Resource(kind, key, name, dict(labels))
            return self._others[key]

    def add_image(
        self, tag: str, *, volumes: Iterable[str] = (), labels: Mapping[str, str] | None = None
    ) -> str:
        with self._lock:
            image = f"sha256:{next(self._numbers):064}"
            self._tags[tag] = image
            self._labels_of_images[image] = dict(labels or {})
            self._volumes_of_images[image] = tuple(volumes)
            return image

    def change(self, container_id: str, **changes: Any) -> None:
        """Something happens to a container; whoever watches is told."""
        with self._lock:
            entry = self._containers[container_id]
            entry.seen = replace(entry.seen, **changes)
        self._tell(entry.seen)

    def say(self, container_id: str, text: str) -> None:
        self._containers[container_id].said.append(LogLine(time.time(), text))

    def service(self, project: str, service: str) -> Container:
        """The only container of a service."""
        (found,) = (c for c in self.containers(project) if c.service == service)
        return found

    # -- the engine --------------------------------------------------------------------------------------

    def close(self) -> None:
        self.closed = True

    def containers(self, project: str) -> tuple[Container, ...]:
        self._answer()
        with self._lock:
            members = [e for e in self._containers.values() if not self._inherits(e)]
            found = [entry.seen for entry in members if entry.seen.project == project]
        return tuple(sorted(found, key=lambda container: container.name))

    @contextlib.contextmanager
    def watch(self, project: str) -> Iterator[Watch]:
        self._answer()
        watch = Watch(lambda: self.containers(project), self._one)
        self._watches.append((project, watch))
        try:
            yield watch
        finally:
            self._watches.remove((project, watch))

    def _one(self, container_id: str) -> Container | None:
        with self._lock:
            entry = self._containers.get(container_id)
        return entry.seen if entry and not self._inherits(entry) else None

    def _tell(self, container: Container) -> None:
        for project, watch in tuple(self._watches):
            if project == container.project:
                watch.tell(container.id)

    def start(self, container_id: str) -> None:
        self._answer()
        with self._lock:
            entry = self._containers.get(container_id)
            if entry is None:
                raise EngineError(f"the Docker engine refused: No such container: {container_id}")
            if entry.seen.state == "running":
                return
            self.started.append(container_id)
        program, *words = entry.argv
        match program:
            case "sleep":
                started = str(len(self.started))
                self.change(container_id, state="running", error="", exit_code=0, started=started)
                self.on_start(entry.seen)
            case "echo":
                self.say(container_id, " ".join(words))
                self.change(container_id, state="exited", exit_code=0, started=str(len(self.started)))
            case "true" | "false":
                self.change(
                    container_id,
                    state="exited",
                    exit_code=int(program == "false"),
                    started=str(len(self.started)),
                )
            case _:
                why = f'exec: "{program}": executable file not found in $PATH'
                self.change(container_id, exit_code=127, error=why)
                raise EngineError(f"the Docker engine refused: {why}")

    def run_inside(self, container_id: str, argv: Sequence[str]) -> bool:
        self._answer()
        found = self._one(container_id)
        if found is None or found.state != "running":
            raise EngineError(f"the Docker engine refused: container {container_id} is not running")
        return argv[0] != "false" and self.checks(found)

    def processes(self, container_id: str) -> tuple[tuple[str, ...], ...]:
        self._answer()
        entry = self._containers.get(container_id)
        if entry is None or entry.seen.state != "running":
            raise EngineError(f"the Docker engine refused: container {container_id} is not running")
        return (entry.argv,)

    def logs(self, container_id: str, *, since: float = 0.0, tail: int = 200) -> tuple[LogLine, ...]:
        self._answer()
        entry = self._containers.get(container_id)
        return tuple(line for line in entry.said if line.at >= int(since))[-tail:] if entry else ()

    def written(self, container_id: str) -> tuple[str, ...]:
        self._answer()
        return tuple(sorted(self.files.get(container_id, ())))

    def copy_out(self, container_id: str, path: str, target: BinaryIO) -> None:
        self._answer()
        content = self.files.get(container_id, {}).get(path)
        if content is not None:
            with tarfile.open(fileobj=target, mode="w|") as archive:
                entry = tarfile.TarInfo(path.rpartition("/")[2])
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))

    def copy_in(self, container_id: str, folder: str, archive: BinaryIO) -> None:
        self._answer()
        with tarfile.open(fileobj=archive, mode="r") as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isfile() else None
                if content:
                    path = f"{folder.rstrip('/')}/{entry.name}"
                    self.files.setdefault(container_id, {})[path] = content.read()

    def busy(self) -> int:
        self._answer()
        with self._lock:
            running = [e.seen for e in self._containers.values() if e.seen.state == "running"]
        return len({container.project or container.id for container in running})

    def born(self) -> str:
        self._answer()
        return self.birth

    def publishers(self) -> tuple[Publisher, ...]:
        self._answer()
        return tuple(
            Publisher(
                entry.seen.name,
                entry.seen.project,
                entry.labels.get(FOLDER_LABEL, ""),
                port.host,
                port.published,
                port.protocol,
            )
            for entry in self._containers.values()
            for port in entry.seen.ports
            if port.published and entry.seen.state == "running"
        )

    def writable_mounts(self) -> tuple[WritableMount, ...]:
        self._answer()
        with self._lock:
            return tuple(
                WritableMount(entry.seen.name, entry.seen.project, entry.seen.image, source, target)
                for entry in self._containers.values()
                for source, target in entry.writes
                if entry.seen.state == "running"
            )

    def owned(self, labels: Mapping[str, str], *, kinds: Iterable[str] = ()) -> tuple[Resource, ...]:
        self._answer()
        wanted = set(kinds) or {"container", "network", "volume"}
        with self._lock:
            everything = [_resource(e) for e in self._containers.values() if not self._inherits(e)]
            everything += self._others.values()
        return tuple(r for r in everything if r.kind in wanted and _carries(r, labels))

    def inherited(self, labels: Mapping[str, str]) -> tuple[Resource, ...]:
        self._answer()
        with self._lock:
            found = [_resource(entry) for entry in self._containers.values() if self._inherits(entry)]
        return tuple(resource for resource in found if _carries(resource, labels))

    def _inherits(self, entry: _Entry) -> bool:
        image = self._tags.get(entry.seen.image, entry.seen.image)
        of_image = self._labels_of_images.get(image, {})
        return may_inherit(entry.labels, entry.seen.name) and inherits(entry.labels, of_image)

    def remove(self, resources: Sequence[Resource]) -> tuple[Resource, ...]:
        self._answer()
        order = {"container": 0, "network": 1, "volume": 1, "image": 2}
        return tuple(r for r in sorted(resources, key=lambda r: order[r.kind]) if self._remove(r))

    def _remove(self, resource: Resource) -> bool:
        with self._lock:
            used = {key for entry in self._containers.values() for key in entry.uses}
            if resource.id in used | self.stuck:
                return False
            match resource.kind:
                case "container":
                    gone = self._containers.pop(resource.id, None)
                    if gone:
                        self._tell(gone.seen)
                case "image":
                    for tag in [tag for tag, image in self._tags.items() if resource.id in (tag, image)]:
                        del self._tags[tag]
                case _:
                    self._others.pop(resource.id, None)
                    self._subnets.pop(resource.id, None)
        return True

    def sized(self, resources: Iterable[Resource]) -> tuple[Resource, ...]:
        self._answer()
        return tuple(resources)

    def join(self, project: str) -> None:
        self._answer()

    def named_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        self._answer()
        with self._lock:
            return (self._others.get(name) or self.add_volume(name, labels)).labels

    def volume_ages(self, label: str) -> tuple[tuple[Resource, float], ...]:
        found = self.owned({label: ""}, kinds=["volume"])
        return tuple((volume, self.ages.get(volume.id, 0.0)) for volume in found)

    def volume_labels(self, name: str) -> Mapping[str, str] | None:
        self._answer()
        found = self._others.get(name)
        return found.labels if found else None

    def network_subnets(self, project: str) -> Mapping[str, str]:
        self._answer()
        return {
            key: subnet
            for network, (key, subnet) in self._subnets.items()
            if key and self._others[network].labels.get(PROJECT_LABEL) == project
        }

    def subnets(self) -> tuple[IPv4Network, ...]:
        self._answer()
        return tuple(IPv4Network(subnet) for _, subnet in self._subnets.values())

    def images(self, tags: Iterable[str]) -> tuple[Resource, ...]:
        self._answer()
        nameless = set(self._volumes_of_images) - set(self._tags.values())
        return tuple(Resource("image", tag, tag, {}) for tag in tags if tag in self._tags or tag in nameless)

    def image_id(self, tag: str) -> str | None:
        self._answer()
        return self._tags.get(tag)

    def base_image(self, tag: str) -> BaseImage | None:
        image = self.image_id(tag)
        return BaseImage(image) if image else None

    def image_config(self, tag: str) -> ImageConfig | None:
        image = self.image_id(tag)
        return ImageConfig(image, volumes=self._volumes_of_images[image]) if image else None

    def create(self, errand: Errand) -> str:
        self._answer()
        project = errand.labels.get(PROJECT_LABEL, "")
        return self.add_container(project, "", errand.command, labels=errand.labels).id

    def container(self, container_id: str) -> Container | None:
        self._answer()
        return self._one(container_id)

    def stop(self, container_id: str, seconds: int) -> None:
        self._answer()
        self.change(container_id, state="exited", exit_code=0)

    def commit(self, container_id: str, tag: str, image: ImageConfig) -> str:
        self._answer()
        return self.add_image(tag, volumes=image.volumes)

    def image_volumes(self, image: str) -> tuple[str, ...] | None:
        found = self.image_id(image)
        return self._volumes_of_images[found] if found else None

    def tag(self, image: str, tag: str) -> None:
        found = self.image_id(image)
        if found is None:
            raise EngineError(f"the Docker engine refused: No such image: {image}")
        self._tags[tag] = found

    def cached_layers(self) -> Mapping[str, bool]:
        self._answer()
        return {}

    def prune_layers(self, layers: Iterable[str]) -> None:
        self._answer()

    def _ping(self, timeout: float) -> None:
        if not self.answering:
            raise TimeoutError

    def _answer(self) -> None:
        if not self.answering:
            raise engine_stopped()


def _resource(entry: _Entry) -> Resource:
    return Resource("container", entry.seen.id, entry.seen.name, entry.labels)


def _carries(resource: Resource, labels: Mapping[str, str]) -> bool:
    return all(
        key in resource.labels and value in ("", resource.labels[key]) for key, value in labels.items()
    )

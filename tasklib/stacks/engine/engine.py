"""What the rest of the code asks of an engine: what runs, what is owned and what happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from ipaddress import IPv4Network
from typing import BinaryIO, Protocol

from tasklib.results import LogLine
from tasklib.stacks.engine.patience import Heart
from tasklib.stacks.engine.values import (
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

__all__ = ["Engine"]


class Engine(Protocol):
    """An engine, safe to share by threads.

    Every method raises :class:`~tasklib.errors.EngineError` with the engine's reason where it refuses, and
    when it stops answering. What is asked for and not there is an empty answer, not an error.
    """

    @property
    def facts(self) -> EngineFacts: ...

    @property
    def heart(self) -> Heart: ...

    def close(self) -> None: ...

    # -- containers --------------------------------------------------------------------------------------

    def containers(self, project: str) -> tuple[Container, ...]:
        """The containers of a Compose project, ordered by name, without the :meth:`inherited`."""
        ...

    def watch(self, project: str) -> AbstractContextManager[Watch]:
        """A :class:`~tasklib.stacks.engine.watch.Watch` on the containers of ``project``."""
        ...

    def start(self, container_id: str) -> None:
        """Start a created or stopped container; one that runs goes on."""
        ...

    def run_inside(self, container_id: str, argv: Sequence[str]) -> bool:
        """Whether ``argv`` ends with 0 inside a running container, within the patience for an answer."""
        ...

    def processes(self, container_id: str) -> tuple[tuple[str, ...], ...]:
        """The words of each program that runs in a container, the first one first."""
        ...

    def logs(self, container_id: str, *, since: float = 0.0, tail: int = 200) -> tuple[LogLine, ...]:
        """The last ``tail`` lines of a container from ``since`` (seconds since the epoch) on."""
        ...

    def written(self, container_id: str) -> tuple[str, ...]:
        """What a container wrote into its own file system.

        Files that differ, and the topmost of what is new.
        """
        ...

    def copy_out(self, container_id: str, path: str, target: BinaryIO) -> None:
        """Write ``path`` of a container's file system to ``target``, as a tar archive."""
        ...

    def copy_in(self, container_id: str, folder: str, archive: BinaryIO) -> None:
        """Unpack ``archive`` (tar) in ``folder`` of a container, which need not run."""
        ...

    def busy(self) -> int:
        """How many Compose projects run here, and containers without one."""
        ...

    def born(self) -> str:
        """When it started last, in its own words; empty where that cannot be seen."""
        ...

    def publishers(self) -> tuple[Publisher, ...]:
        """Every host port that a container of this engine publishes, and whose it is."""
        ...

    def writable_mounts(self) -> tuple[WritableMount, ...]:
        """Every folder or file of the engine's machine that a running container may write.

        Volumes count that are such a folder; where several containers have one, each is named.
        """
        ...

    # -- errands -----------------------------------------------------------------------------------------

    def create(self, errand: Errand) -> str:
        """The id of a new container for ``errand``, which is not started."""
        ...

    def container(self, container_id: str) -> Container | None:
        """One container as it is now, ``None`` where there is none."""
        ...

    def stop(self, container_id: str, seconds: int) -> None:
        """End a container as its image wants it ended, by force after ``seconds``."""
        ...

    def commit(self, container_id: str, tag: str, image: ImageConfig) -> str:
        """Make an image called ``tag`` of what a container wrote; returns its id.

        It is run as ``image`` is. Labels and variables of the container's own are left empty in it.
        """
        ...

    # -- what is owned -----------------------------------------------------------------------------------

    def owned(self, labels: Mapping[str, str], *, kinds: Iterable[str] = ()) -> tuple[Resource, ...]:
        """Containers, networks and volumes that carry all of ``labels`` (an empty value: any value).

        Those that are :meth:`inherited` are not among them.
        """
        ...

    def inherited(self, labels: Mapping[str, str]) -> tuple[Resource, ...]:
        """Containers that have ``labels``, ours among them, from their image: one of ours was committed."""
        ...

    def remove(self, resources: Sequence[Resource]) -> tuple[Resource, ...]:
        """Remove all of ``resources``, containers first; returns those that are gone now.

        What is gone already counts as removed; what cannot be removed is left out of the answer.
        """
        ...

    def sized(self, resources: Iterable[Resource]) -> tuple[Resource, ...]:
        """The same with the bytes that removing each would free, as far as the engine's accounting tells."""
        ...

    def join(self, project: str) -> None:
        """Have the networks of a Compose project within our reach, where we have to be on them for that.

        Removing them ends it, whoever does that.
        """
        ...

    def named_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Make an empty volume unless there is one of that name; returns the labels of the one that is there.

        Of many that ask at once, one makes it and all get the same answer.
        """
        ...

    def volume_ages(self, label: str) -> tuple[tuple[Resource, float], ...]:
        """The volumes that carry ``label``, each with its age in seconds by the engine's own clock."""
        ...

    def volume_labels(self, name: str) -> Mapping[str, str] | None:
        """The labels of a volume, ``None`` when there is none of that name."""
        ...

    # -- networks ----------------------------------------------------------------------------------------

    def network_subnets(self, project: str) -> Mapping[str, str]:
        """The subnets that the networks of a Compose project hold now, by the networks' keys."""
        ...

    def subnets(self) -> tuple[IPv4Network, ...]:
        """Every IPv4 subnet that a network of this engine holds."""
        ...

    # -- images ------------------------------------------------------------------------------------------

    def images(self, tags: Iterable[str]) -> tuple[Resource, ...]:
        """Those of the exact ``tags`` that exist, each as a resource whose id is the tag.

        An image's id among them stands for an image without any tag; one that has tags is somebody's.
        """
        ...

    def image_id(self, tag: str) -> str | None:
        """The id of the image that ``tag`` names, ``None`` when there is none."""
        ...

    def base_image(self, tag: str) -> BaseImage | None:
        """The image that ``tag`` names, as something to build on; ``None`` when there is none."""
        ...

    def image_config(self, tag: str) -> ImageConfig | None:
        """How the image that ``tag`` names is run, ``None`` when there is none."""
        ...

    def image_volumes(self, image: str) -> tuple[str, ...] | None:
        """The paths an image declares as VOLUME; ``None`` when the image is not here."""
        ...

    def tag(self, image: str, tag: str) -> None:
        """Give an image one more name."""
        ...

    def cached_layers(self) -> Mapping[str, bool]:
        """The ids in the build cache, and whether an image has the same; empty while the engine is busy."""
        ...

    def prune_layers(self, layers: Iterable[str]) -> None:
        """Remove exactly these of the build cache, but for what something else stands on or uses."""
        ...

"""PURE: what is known of an engine, as typed values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.reach import HERE, Reach
from tasklib.stacks.address import EngineAddress

__all__ = [
    "FOLDER_LABEL",
    "ONE_OFF_LABEL",
    "PROJECT_LABEL",
    "SERVICE_LABEL",
    "BaseImage",
    "Container",
    "EngineFacts",
    "Errand",
    "ImageConfig",
    "Port",
    "Publisher",
    "Resource",
    "Usage",
    "Users",
    "WritableMount",
    "with_sizes",
]

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
FOLDER_LABEL = "com.docker.compose.project.working_dir"
"""Where the Compose file of a project was run."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


class Port(Struct, frozen=True):
    """A container port (``target``) and where it is reachable; ``published`` is 0 while it is not."""

    target: int
    protocol: str
    host: str
    published: int


class _Discreet(Struct, frozen=True):
    """Its ``environment``, which may hold passwords, is not part of its repr."""

    def __repr__(self) -> str:
        names = (name for name in self.__struct_fields__ if name != "environment")
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


class Container(_Discreet, frozen=True):
    """One container as the engine sees it now.

    ``state`` is the engine's word (created, running, restarting, exited, dead, paused), ``health`` is
    ``None`` without a health check, ``max_restarts`` is ``None`` where the engine never gives up and 0
    without a restart policy, ``always`` whether it restarts it whatever it ends with, ``started`` when the
    engine started it last, ``address`` its first address on a bridge network ("" if none),
    ``health_test`` the command of its health check, ``listens`` the TCP ports by which it may be seen
    that it is worth a try (those that the command asks, and those that are exposed), ``command`` and
    ``environment`` what its program is started with, ``starved`` whether the kernel ended something in it
    for want of memory since it was started, ``image_id`` the image that it was made from, ``made_of`` the
    digest of what else it was made of ("": not by us).
    """

    id: str
    name: str
    project: str
    service: str
    state: str
    exit_code: int = 0
    health: str | None = None
    health_output: str = ""
    restarts: int = 0
    max_restarts: int | None = 0
    always: bool = False
    started: str = ""
    address: str = ""
    ports: tuple[Port, ...] = ()
    error: str = ""
    image: str = ""
    health_test: tuple[str, ...] = ()
    listens: tuple[int, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=_nothing)
    starved: bool = False
    image_id: str = ""
    made_of: str = ""

    @property
    def life(self) -> tuple[str, str]:
        """What tells this run of the container from those before and after it."""
        return self.id, self.started


class BaseImage(_Discreet, frozen=True):
    """An image that others are built on; ``triggers``: it takes part in their builds (ONBUILD).

    ``environment`` and ``folder`` are what programs in it start with, ``digests`` what registries know it by
    (``repository@digest``).
    """

    id: str
    triggers: bool = False
    digests: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=_nothing)
    folder: str = "/"


class ImageConfig(_Discreet, frozen=True):
    """What an image says of how it is run: its id, words, variables and the folders it declares as VOLUME."""

    id: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=_nothing)
    volumes: tuple[str, ...] = ()


class Errand(_Discreet, frozen=True):
    """A container of no stack, without a network: what it runs, and the files it may read.

    ``files`` are (path on this machine, path inside); ``labels`` say whose it is while it is there.
    """

    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=_nothing)
    files: tuple[tuple[str, str], ...] = ()
    hostname: str = ""
    shared_memory: int | None = None
    labels: Mapping[str, str] = field(default_factory=_nothing)


class Publisher(Struct, frozen=True):
    """A host port that a container publishes.

    ``project`` is its Compose project, ``folder`` where that was run ("" without Compose).
    """

    container: str
    project: str
    folder: str
    host: str
    port: int
    protocol: str = "tcp"


class WritableMount(Struct, frozen=True):
    """What a running container may write of the engine's machine: ``source`` there is ``target`` inside.

    ``project`` is its Compose project ("" without Compose), ``image`` what it was started from.
    """

    container: str
    project: str
    image: str
    source: str
    target: str


class Resource(Struct, frozen=True):
    """Something on the engine that can be removed. ``size`` is in bytes where it is known cheaply."""

    kind: Literal["container", "network", "volume", "image"]
    id: str
    name: str
    labels: Mapping[str, str]
    size: int = 0


class Users(Enum):
    """Who the users of containers are on the engine's machine."""

    SAME = auto()
    OURS = auto()
    """Their root is the engine's own user: it is rootless."""
    SHIFTED = auto()
    """All are others, of a range of the engine's: `userns-remap`."""


class EngineFacts(Struct, frozen=True):
    """What does not change while the engine runs, and how tests get to its containers.

    ``cpus`` and ``memory`` (bytes; 0: not known) are its machine's; ``address`` is where it is, ``None``
    where the environment names it; ``platform`` is what it builds for by itself (``linux/x86_64``; "": not
    known).
    """

    id: str
    version: str
    api: tuple[int, int]
    cpus: int
    endpoint: str
    reach: Reach = HERE
    remote: bool = False
    name: str = ""
    memory: int = 0
    address: EngineAddress | None = None
    platform: str = ""
    users: Users = Users.SAME

    @property
    def apart(self) -> bool:
        """Whether its stacks take nothing of this machine: it is elsewhere, or one of a project's list."""
        return self.address is not None or self.reach.elsewhere

    @property
    def start_interval(self) -> bool:
        """Whether health checks know ``start_interval`` (Engine 25, API 1.44)."""
        return self.api >= (1, 44)


class Usage(Struct, frozen=True):
    """The engine's accounting: the bytes that removing something frees, by what it is known by.

    ``tags`` has the id of each tagged image, ``layers`` whether an image has what is in the build cache.
    """

    images: Mapping[str, int] = field(default_factory=_nothing)
    tags: Mapping[str, str] = field(default_factory=_nothing)
    volumes: Mapping[str, int] = field(default_factory=_nothing)
    containers: Mapping[str, int] = field(default_factory=_nothing)
    layers: Mapping[str, bool] = field(default_factory=_nothing)


def with_sizes(resources: Iterable[Resource], usage: Usage) -> tuple[Resource, ...]:
    """The same with the bytes that removing each would free, 0 where ``usage`` does not tell.

    Of several tags of an image, removing the last one frees it; which one counts is all the same.
    """
    found, counted = [], set[str]()
    for resource in resources:
        match resource.kind:
            case "image":
                image = usage.tags.get(resource.id, resource.id)
                size = 0 if image in counted else usage.images.get(image, 0)
                counted.add(image)
            case "volume":
                size = usage.volumes.get(resource.id, 0)
            case "container":
                size = usage.containers.get(resource.id, 0)
            case "network":
                size = 0
        found.append(replace(resource, size=size))
    return tuple(found)

"""What is decided of an engine: the way to its containers, and which files its machine has."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath

from msgspec import Struct, field

__all__ = ["HERE", "Disk", "Reach", "Way"]


class Way(StrEnum):
    """How tests get to a port of a container; the values of the setting ``reach``, but for the last."""

    LOOPBACK = "loopback"
    """A free port of this machine's loopback, which the engine publishes."""
    JOINED = "joined"
    """The container's own address: our container is on its network while the stack is up."""
    FORWARDED = "forwarded"
    """A port of this machine's loopback that one ssh connection leads to the container's own address."""
    PUBLISHED = "published"
    """A free port of the engine's own address, which others may reach, too."""
    NONE = "none"
    """Not at all: the engine is only looked at, or removed from."""


class Disk(Struct, frozen=True):
    """Where the engine's machine has the files of ours.

    It has all where we have them (``shared``), or what lies in our container's ``mounts`` (path here, path
    there; "": what lies there is no file of that machine's), the deepest of which counts, or none.
    """

    shared: bool = True
    mounts: tuple[tuple[str, str], ...] = ()

    def there(self, path: str) -> str | None:
        """The path by which the engine's machine has ``path`` (absolute); ``None``: it does not have it."""
        if self.shared:
            return path
        wanted = PurePosixPath(path)
        found = [(PurePosixPath(here), there) for here, there in self.mounts if wanted.is_relative_to(here)]
        if not found:
            return None
        here, there = max(found, key=lambda pair: len(pair[0].parts))
        return str(PurePosixPath(there, wanted.relative_to(here))) if there else None


class Reach(Struct, frozen=True):
    """The way to containers, ``why`` it is this one, and whose ``disk`` their bind mounts are of.

    ``direct`` is whether a container's own address can be reached from here, ``address`` where ports are
    published, ``container`` our own container's id where it joins networks. ``elsewhere`` is whether the
    engine has a machine of its own, ``lag`` how many seconds an answer from there takes.
    """

    way: Way
    why: str
    direct: bool = False
    address: str = "127.0.0.1"
    container: str = ""
    disk: Disk = field(default_factory=Disk)
    elsewhere: bool = False
    lag: float = 0.0

    @property
    def publishes(self) -> bool:
        """Whether ports of containers are published at all."""
        return self.way in (Way.LOOPBACK, Way.PUBLISHED)

    @property
    def leased(self) -> bool:
        """Whether runs need a lease: others on the engine cannot judge whether their processes live."""
        return self.way is not Way.LOOPBACK or not self.disk.shared

    @property
    def lasts(self) -> bool:
        """Whether what tests are given still leads there once the run that brought it up has ended."""
        return self.way is not Way.FORWARDED

    def __str__(self) -> str:
        how = {
            Way.LOOPBACK: "loopback ports",
            Way.JOINED: "this container joins the stacks' networks",
            Way.FORWARDED: "ports forwarded over ssh",
            Way.PUBLISHED: f"ports published on {self.address}",
            Way.NONE: "not reached",
        }[self.way]
        return f"{how}: {self.why}"


HERE = Reach(Way.LOOPBACK, "the engine is on this machine", direct=True)
"""An engine of this machine, as most are."""

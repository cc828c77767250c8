"""What data stores initialised once, kept as images of one engine: who made which, and who uses it.

A bake belongs to nobody's instance. Only what stands here is ever started from or removed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.state.store import State

__all__ = ["BakeRecord", "Bakes"]


class BakeRecord(Struct, frozen=True):
    """An image called ``tag`` of what ``key``, a digest of all that decides it, leads to.

    ``image`` is its id (""; there is none) and ``failed`` why it could not be made. ``used`` is when each
    checkout last started from it, ``at`` when it was made (seconds since the epoch).
    """

    tag: str
    key: str
    image: str = ""
    failed: str = ""
    at: float = field(default_factory=time.time)
    used: dict[str, float] = field(default_factory=dict)

    @property
    def last_used(self) -> float:
        return max((self.at, *self.used.values()))


class Bakes:
    """The bakes of one engine."""

    def __init__(self, state: State, engine: str) -> None:
        self._state = state
        self._folder = State.name("bakes", engine)

    def add(self, bake: BakeRecord) -> None:
        """Remember it; one is on record before its image exists."""
        self._state.keep(self._name(bake.tag), bake)

    def use(self, tag: str, checkout: str) -> None:
        """``checkout`` starts from it now."""
        with self._state.lock(self._folder):
            if found := self.get(tag):
                self.add(replace(found, used={**found.used, checkout: time.time()}))

    def leave(self, tag: str, checkouts: Iterable[str]) -> None:
        """``checkouts`` do not use it any more."""
        gone = set(checkouts)
        with self._state.lock(self._folder):
            if found := self.get(tag):
                self.add(replace(found, used={k: at for k, at in found.used.items() if k not in gone}))

    def get(self, tag: str) -> BakeRecord | None:
        return self._state.read(self._name(tag), BakeRecord)

    def all(self) -> tuple[BakeRecord, ...]:
        """The newest first."""
        found = self._state.records(self._folder, BakeRecord).values()
        return tuple(sorted(found, key=lambda bake: (-bake.at, bake.tag)))

    def forget(self, tag: str) -> None:
        self._state.remove(self._name(tag))

    def _name(self, tag: str) -> str:
        return f"{self._folder}/{State.name(tag)}"

"""The containers of a project as they change: what an event names is asked for again, and nothing else."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable

from tasklib.stacks.engine.values import Container

__all__ = ["Watch"]

_WHOLE, _WHOLE_UNTOLD = 5.0, 0.5
"""Seconds after which all containers are looked at again whatever the events told, and without any events."""


class Watch:
    """Set whenever something changed since the last look; safe to tell from any thread."""

    def __init__(
        self, everything: Callable[[], Iterable[Container]], one: Callable[[str], Container | None]
    ) -> None:
        """``everything()`` are the containers now, ``one(id)`` is one of them, ``None`` once it is gone."""
        self._everything = everything
        self._one = one
        self._told = threading.Event()
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self._known: dict[str, Container] = {}
        self._looked: float | None = None
        self._whole = _WHOLE

    def tell(self, container: str = "") -> None:
        """Something changed, and if it is a container, its id."""
        with self._lock:
            if container:
                self._changed.add(container)
        self._told.set()

    def follow(self, changed: Iterable[str]) -> None:
        """Be told of the ids of containers that ``changed`` until they end, or the connection does."""
        with contextlib.suppress(Exception):
            for container in changed:
                self.tell(container)
        self._whole = _WHOLE_UNTOLD
        self.tell()

    def wait(self, seconds: float) -> bool:
        """Whether something changed within ``seconds``; the next call waits for the next change."""
        changed = self._told.wait(seconds)
        self._told.clear()
        return changed

    def containers(self, *, fresh: bool = False) -> tuple[Container, ...]:
        """The containers as they are now, ordered by name; ``fresh`` does not wait for an event to tell."""
        now = time.monotonic()
        with self._lock:
            changed, self._changed = self._changed, set()
        if fresh or self._looked is None or now - self._looked >= self._whole:
            self._looked = now
            self._known = {container.id: container for container in self._everything()}
        else:
            for container_id in changed:
                if found := self._one(container_id):
                    self._known[container_id] = found
                else:
                    self._known.pop(container_id, None)
        return tuple(sorted(self._known.values(), key=lambda container: container.name))

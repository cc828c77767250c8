"""What we have that has to go when we do: process groups and folders."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from tasklib.process.ending import signal_group

__all__ = ["CHILDREN", "Children"]


class Children:
    """The process groups and scratch folders that we have now.

    A listener is told of each: the reaper, which outlives us, ends and removes what we cannot.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[int | str] = set()
        self._listener: Callable[[str, int | str], None] | None = None

    def listen(self, listener: Callable[[str, int | str], None] | None) -> None:
        """Hand ``("+"|"-", pid or folder)`` to ``listener`` as they come and go, those of now included."""
        with self._lock:
            self._listener = listener
            if listener:
                for held in self._held:
                    listener("+", held)

    def add(self, held: int | str) -> None:
        with self._lock:
            self._held.add(held)
            if self._listener:
                self._listener("+", held)

    def discard(self, held: int | str) -> None:
        with self._lock:
            self._held.discard(held)
            if self._listener:
                self._listener("-", held)

    def kill(self) -> None:
        """End every live group at once, without grace."""
        with self._lock:
            pids = [held for held in self._held if isinstance(held, int)]
        for pid in pids:
            signal_group(pid, signal.SIGKILL)


CHILDREN = Children()

"""Requests to stop, which a command of ours notices while it runs."""

from __future__ import annotations

import threading

from tasklib.errors import Interrupted

__all__ = ["Cancel"]


class Cancel:
    """A request to stop, seen by every command that was handed it.

    One made from a ``parent`` is also set by it, never the other way round.
    """

    def __init__(self, parent: Cancel | None = None) -> None:
        self._event = threading.Event()
        self._parent = parent
        self._reason = "interrupted"

    def set(self, reason: str = "interrupted") -> None:
        if not self._event.is_set():
            self._reason = reason
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set() or (self._parent is not None and self._parent.is_set())

    @property
    def reason(self) -> str:
        return self._reason if self._event.is_set() or self._parent is None else self._parent.reason

    def check(self) -> None:
        """Raise :class:`Interrupted` once the request is there."""
        if self.is_set():
            raise Interrupted(self.reason)

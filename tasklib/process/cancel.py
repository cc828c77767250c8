"""Requests to stop, which a command of ours notices while it runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from tasklib.errors import Interrupted

__all__ = ["Cancel"]


class Cancel:
    """A request to stop, seen by every command that was handed it.

    One made from a ``parent`` is also set by it, never the other way round.
    """

    def __init__(self, parent: Cancel | None = None) -> None:
        self._event = threading.Event()
        self._asleep: set[threading.Lock] = set()
        self._parent = parent
        self._reason = "interrupted"

    def set(self, reason: str = "interrupted") -> None:
        if not self._event.is_set():
            self._reason = reason
        self._event.set()
        for asleep in self._asleep.copy():
            with contextlib.suppress(RuntimeError):  # Another request woke it.
                asleep.release()

    def is_set(self) -> bool:
        return self._event.is_set() or (self._parent is not None and self._parent.is_set())

    @property
    def reason(self) -> str:
        return self._reason if self._event.is_set() or self._parent is None else self._parent.reason

    def check(self) -> None:
        """Raise :class:`Interrupted` once the request is there."""
        if self.is_set():
            raise Interrupted(self.reason)

    def wait(self, seconds: float) -> None:
        """Wait so long, and raise :class:`Interrupted` as soon as the request is there."""
        # A signal's handler may set it in the thread that waits here. What an event has inside it would wait
        # for that thread; a lock can be released whatever was interrupted.
        asleep = threading.Lock()
        asleep.acquire()
        family = tuple(self._line())
        for each in family:
            each._asleep.add(asleep)
        try:
            if not self.is_set():
                asleep.acquire(timeout=max(0.0, seconds))
        finally:
            for each in family:
                each._asleep.discard(asleep)
        self.check()

    def _line(self) -> Iterator[Cancel]:
        """This request and those that set it."""
        each: Cancel | None = self
        while each is not None:
            yield each
            each = each._parent

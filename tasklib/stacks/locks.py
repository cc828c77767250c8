"""One stack, one user at a time: a lock that the kernel frees when its holder dies."""

from __future__ import annotations

from collections.abc import Callable

import filelock

from tasklib import process
from tasklib.state import State

__all__ = ["StackLock"]

_LOOK = 0.1
"""Seconds between two looks at a cancellation while waiting."""


class StackLock:
    """The lock of one Compose project on one engine. May be released by another thread."""

    def __init__(self, state: State, engine: str, project: str) -> None:
        folder = state.root / "locks"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / (State.name("stack", engine, project).replace("/", "~") + ".lock")
        self._lock = filelock.FileLock(path, thread_local=False, mode=0o600)

    def acquire(self, cancel: process.Cancel, on_wait: Callable[[], None] = lambda: None) -> None:
        """Wait for it; ``on_wait`` is called once if it is not free.

        Raises :class:`~tasklib.errors.Interrupted` when ``cancel`` is set meanwhile.
        """
        if self.try_acquire():
            return
        on_wait()
        while not self.try_acquire(_LOOK):
            cancel.check()

    def try_acquire(self, seconds: float = 0.0) -> bool:
        """Whether it could be had within ``seconds``."""
        try:
            self._lock.acquire(timeout=seconds, poll_interval=0.02)
        except filelock.Timeout:
            return False
        return True

    def release(self) -> None:
        self._lock.release()

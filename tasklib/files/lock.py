"""One lock for all, in which its holder signs: who waits can tell for whom.

The kernel frees it when its last holder dies; whoever is sent the open file holds it too.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from tasklib import process
from tasklib.files.full import is_full, unless_full
from tasklib.files.usable import unusable
from tasklib.flock import open_lock, try_lock, unlock

__all__ = ["Lock", "User", "sign", "signature", "this_process"]

_LOOK = 0.02
"""Seconds between two tries while waiting."""


class User(Struct, frozen=True):
    """Who holds a lock: the run's id, what was typed, the process and the project's folder."""

    run: str = ""
    command: str = ""
    pid: int = 0
    root: str = ""

    def __str__(self) -> str:
        if not self.command:
            return "another process"
        where = f" in {self.root}" if self.root else ""
        return f"`{self.command}` (pid {self.pid}){where}"


def this_process(root: str | Path = "", run: str = "") -> User:
    """Who we are: ``root`` is the project's folder."""
    return User(run, shlex.join([Path(sys.argv[0] or "python").name, *sys.argv[1:]]), os.getpid(), str(root))


class Lock:
    """The lock whose file is ``path``. May be released by another thread; not to be had twice."""

    def __init__(self, path: Path, user: User | None = None) -> None:
        """``user`` is what others are told while we hold it."""
        self.path = path
        self._user = user or User()
        self._descriptor: int | None = None

    def acquire(self, cancel: process.Cancel, on_wait: Callable[[User], None] = lambda user: None) -> None:
        """Wait for it; ``on_wait`` is told once who has it, if it is not free.

        Raises :class:`~tasklib.errors.Interrupted` when ``cancel`` is set meanwhile, and whatever
        ``on_wait`` raises.
        """
        if self.try_acquire():
            return
        on_wait(self.holder())
        while not self.try_acquire():
            cancel.check()
            time.sleep(_LOOK)

    def try_acquire(self, seconds: float = 0.0) -> bool:
        """Whether it could be had within ``seconds``.

        Raises :class:`~tasklib.errors.ConfigError` where there can be no lock.
        """
        deadline = time.monotonic() + seconds
        while not self._take():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK)
        return True

    def holder(self) -> User:
        """Who has it, as far as can be known."""
        try:
            return User(**json.loads(self.path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return User()

    def fileno(self) -> int:
        """The open file; whoever is sent it holds the lock too, until :meth:`release`."""
        if self._descriptor is None:
            raise RuntimeError("the lock is not held")
        return self._descriptor

    def release(self) -> None:
        """Free it, also for whoever was sent the file. Nothing happens where it is not held."""
        if self._descriptor is not None:
            unlock(self._descriptor, self.path)
            self._descriptor = None

    def hand_over(self) -> None:
        """Leave it to whoever was sent the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self) -> bool:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = open_lock(self.path)
        except OSError as error:
            if not is_full(error):
                raise unusable(self.path, "the lock cannot be taken", error) from error
            # A lock that has no file is held by nobody.
            self._descriptor = _without_name()
            return True
        try:
            # Its last holder may have removed the file between our opening and locking it.
            if try_lock(descriptor) and os.fstat(descriptor).st_nlink:
                sign(descriptor, self._user)
                self._descriptor = descriptor
                return True
        except OSError as error:
            os.close(descriptor)
            raise unusable(self.path, "the lock cannot be taken", error) from error
        os.close(descriptor)
        return False


def sign(descriptor: int, user: Any) -> None:
    """Write into a held lock whose it is: ``user`` is a Struct. On a full disk nobody is told."""
    with unless_full():
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(user)).encode(), 0)


def signature(descriptor: int) -> Any:
    """What was written into a lock; raises :class:`ValueError` where that is nothing that can be read."""
    return json.loads(os.pread(descriptor, 65536, 0))


def _without_name() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())

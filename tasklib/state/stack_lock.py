"""One stack, one user at a time: a lock that the kernel frees when its last holder dies.

The lock belongs to an open file. A run sends that file to its reaper, so that a run that is killed leaves its
stacks locked until the reaper has removed them: nobody can start on top of what is being taken down.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tasklib import process
from tasklib.errors import ConfigError
from tasklib.state.store import State

__all__ = ["StackLock", "User", "sign", "unlock"]

_LOOK = 0.02
"""Seconds between two tries while waiting."""


@dataclass(frozen=True)
class User:
    """Who uses a stack: its run's id, what was typed, the process and the project's folder."""

    run: str = ""
    command: str = ""
    pid: int = 0
    root: str = ""

    def __str__(self) -> str:
        if not self.command:
            return "another process"
        where = f" in {self.root}" if self.root else ""
        return f"`{self.command}` (pid {self.pid}){where}"


class StackLock:
    """The lock of one Compose project on one engine. May be released by another thread."""

    def __init__(self, state: State, engine: str, project: str, user: User | None = None) -> None:
        """``user`` is what others are told while we hold it."""
        name = State.name("stack", engine, project).replace("/", "~")
        self.path = state.root / "locks" / f"{name}.lock"
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
        """Whether it could be had within ``seconds``."""
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
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise _unusable(self.path, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed the file between our opening and locking it.
            if os.fstat(descriptor).st_nlink:
                sign(descriptor, self._user)
                self._descriptor = descriptor
                return True
        except BlockingIOError:
            pass
        except OSError as error:
            os.close(descriptor)
            raise _unusable(self.path, error) from error
        os.close(descriptor)
        return False


def sign(descriptor: int, user: User) -> None:
    """Write into a held lock whose it is."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(user)).encode(), 0)


def unlock(descriptor: int, path: Path | None = None) -> None:
    """Free a held lock and close its file; ``path`` goes, so that the folder does not grow for ever."""
    with contextlib.suppress(OSError):
        if path:
            path.unlink(missing_ok=True)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    with contextlib.suppress(OSError):
        os.close(descriptor)


def _unusable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the lock of a stack cannot be taken: {error.strerror or error}",
        where=str(path),
        remedy="Make the state folder writable, or set XDG_STATE_HOME to a folder of yours.",
    )

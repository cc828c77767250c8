"""The kernel's locks of open files: they end with their last holder, whatever ends that.

A lock belongs to an open file. Whoever is sent that, or is started with it open, holds the lock too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

__all__ = ["free", "open_lock", "try_lock", "unlock", "wait_for_lock"]


def open_lock(path: Path) -> int:
    """The open file of a lock, made where it is missing. Raises ``OSError``."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def try_lock(descriptor: int) -> bool:
    """Whether we hold the lock of the open file now. Raises ``OSError`` where there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(descriptor: int) -> None:
    """Hold the lock of the open file, however long its holder takes. Raises ``OSError`` as the other does."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def free(descriptor: int) -> None:
    """Free a held lock, also for whoever else has the file open; closing it would not. It stays open."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def unlock(descriptor: int, path: Path | None = None) -> None:
    """Free a held lock and close its file; ``path`` goes, so that the folder does not grow for ever."""
    with contextlib.suppress(OSError):
        if path:
            path.unlink(missing_ok=True)
        free(descriptor)
    with contextlib.suppress(OSError):
        os.close(descriptor)

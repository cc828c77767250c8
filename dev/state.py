"""The tool's folder for logs and its lock: `$XDG_STATE_HOME/tasklib-dev`, never inside the checkout."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["log_file", "set_up_lock", "state_dir"]


def state_dir() -> Path:
    """The folder, made with mode 0700 if it is missing; a relative XDG_STATE_HOME is ignored, as XDG says."""
    configured = Path(os.environ.get("XDG_STATE_HOME", ""))
    base = configured if configured.is_absolute() else Path.home() / ".local" / "state"
    folder = base / "tasklib-dev"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def log_file(name: str) -> Path:
    """Where the output of the commands called `name` goes."""
    return state_dir() / f"{name}.log"


@contextmanager
def set_up_lock() -> Iterator[None]:
    """Held by one set-up at a time on this machine: all checkouts share engine and images."""
    with (state_dir() / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                "dev: another set-up is running on this machine; waiting for it", file=sys.stderr, flush=True
            )
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield

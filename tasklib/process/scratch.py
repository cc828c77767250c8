"""Folders for what children leave for us. They hold unmasked output, so they go, whatever ends us.

Each is locked while it is used. Our reaper removes it where we cannot, and where that was killed too, the
kernel has freed the lock, and the next run of this user finds a folder that nobody holds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tasklib.flock import try_lock, wait_for_lock
from tasklib.process.children import CHILDREN

__all__ = ["SCRATCH", "scratch_folder", "sweep_scratch"]

SCRATCH = "tasklib-scratch-"
"""How the names of scratch folders begin."""


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, for its user alone."""
    with contextlib.ExitStack() as stack:
        folder, held = _made()
        stack.callback(os.close, held)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        CHILDREN.add(str(folder))
        stack.callback(CHILDREN.discard, str(folder))
        yield folder


def sweep_scratch() -> None:
    """Remove the folders of processes of this user that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):
            if folder.lstat().st_uid == os.getuid() and (held := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(held)


def _made() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
        try:
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # Somebody swept it before it was opened.
        with contextlib.suppress(OSError):  # A file system without locks: nobody can take it for left over.
            wait_for_lock(held)
        if folder.exists():
            return folder, held
        os.close(held)  # Somebody swept it before it was locked.


def _locked(folder: Path) -> int | None:
    """The open and locked folder; ``None``: somebody uses it."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    with contextlib.suppress(OSError):
        if try_lock(held):
            return held
    os.close(held)
    return None

"""Writing in one step: who reads sees what was there before, or all of the new, whenever we are stopped."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

__all__ = ["PRIVATE", "open_fresh", "write_whole"]

PRIVATE = 0o600
"""The mode of a file that its user alone reads."""


def write_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put ``content`` in place of what ``path`` holds, in a folder that is there.

    With a ``mode`` the file has it; without one it keeps its own, and its owner, and a new one has what is
    usual. A link stays: what it leads to is written. Raises :class:`OSError`, and nothing has changed.
    """
    path = path.resolve()
    with _replacing(path, mode) as descriptor, os.fdopen(descriptor, "wb") as file:
        file.write(content)


def open_fresh(path: Path, *, mode: int) -> TextIO:
    """An empty file in place of ``path``, open to be written; who reads the old one reads on. Raises
    :class:`OSError`."""
    with _replacing(path, mode) as descriptor:
        return os.fdopen(descriptor, "w", encoding="ascii")


@contextlib.contextmanager
def _replacing(path: Path, mode: int | None) -> Iterator[int]:
    """The descriptor of a new file beside ``path`` that takes its place in the end."""
    new = path.with_name(f".new-{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(new, flags, 0o666 if mode is None else mode)
    except OSError as error:  # Nobody knows the name of the new one.
        raise type(error)(error.errno, error.strerror, str(path)) from None
    try:
        if mode is None:
            _like(path, descriptor)
        yield descriptor
        new.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


def _like(path: Path, descriptor: int) -> None:
    """Give the new file the old one's mode and owner, as far as we may."""
    with contextlib.suppress(OSError):
        old = path.stat()
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
        os.fchown(descriptor, old.st_uid, old.st_gid)

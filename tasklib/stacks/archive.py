"""Files of this machine as tar archives, the form in which an engine takes them into a container."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from tasklib.errors import ConfigError

__all__ = ["Copied", "archive", "digest_of"]

_IN_MEMORY = 1 << 20
"""Bytes up to which an archive needs no file of its own."""


class Copied(Struct, frozen=True):
    """A file or folder (``source``, absolute), and what an archive calls it (``name``, no leading ``/``).

    ``mode``, ``uid`` and ``gid`` are those of the file unless given.
    """

    source: str
    name: str
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


def archive(files: Iterable[Copied]) -> BinaryIO:
    """A tar archive of ``files``, folders with all that is in them, to be read from its start and closed.

    A link that is named is followed, one inside a folder stays a link. Raises
    :class:`~tasklib.errors.ConfigError` for what cannot be read.
    """
    made = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - whoever gets it closes it
    try:
        with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for file in files:
                tar.add(os.path.realpath(file.source), file.name, filter=_Owner(file))
    except OSError as error:
        made.close()
        where = os.fsdecode(error.filename) if error.filename else None
        raise ConfigError(f"cannot be copied into a container: {error.strerror}", where=where) from error
    made.seek(0)
    return made  # type: ignore[return-value]  # it has all that a binary file has


class _Owner:
    """Gives the entries of one :class:`Copied` the owner and mode that it asks for."""

    def __init__(self, file: Copied) -> None:
        self._file = file

    def __call__(self, entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
            return None  # Sockets and the like belong to the process that made them.
        # The names of this machine's users mean others, or nobody, in a container.
        entry.uname = entry.gname = ""
        entry.uid = entry.uid if self._file.uid is None else self._file.uid
        entry.gid = entry.gid if self._file.gid is None else self._file.gid
        if self._file.mode is not None and entry.isreg():
            entry.mode = self._file.mode
        return entry


def digest_of(source: str | Path) -> str:
    """Another text once a file, or something in a folder, is another: by names, modes, sizes and times."""
    found = hashlib.sha256()
    top = Path(os.path.realpath(source))
    waiting = [top]
    while waiting:
        path = waiting.pop()
        try:
            status = path.lstat()
            folder = stat.S_ISDIR(status.st_mode)
            inside = sorted(path.iterdir()) if folder else []
        except OSError:
            continue
        # The size and time of a folder are the file system's affair.
        content = () if folder else (status.st_size, status.st_mtime_ns)
        found.update(os.fsencode(f"{path.relative_to(top)}\0{status.st_mode}\0{content}\0"))
        waiting += inside
    return found.hexdigest()

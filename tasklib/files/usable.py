"""A folder of ours that cannot be used: why not, and what to do about it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from tasklib.errors import ConfigError
from tasklib.files.full import is_full

__all__ = ["unusable", "usable"]


@contextlib.contextmanager
def usable(folder: Path, what: str) -> Iterator[None]:
    """Make :func:`unusable` of whatever ``OSError`` a use of the state folder's part ``folder`` raises."""
    try:
        yield
    except OSError as error:
        raise unusable(folder, what, error) from error


def unusable(folder: Path, what: str, error: OSError) -> ConfigError:
    """The error that says ``what`` cannot be done, and how it can."""
    where = str(error.filename or folder)
    return ConfigError(f"{what}: {error.strerror or error}", where=where, remedy=_remedy(error))


def _remedy(error: OSError) -> str:
    if is_full(error):
        return "Make room there and have it writable, or set XDG_STATE_HOME to a folder on another disk."
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "Allow more open files (`ulimit -n`), or close what has so many open."
    return "Let yourself read and write it, or set XDG_STATE_HOME to a folder of yours."

"""A disk that takes nothing more: what cannot be kept on it is left out and said, and stops nothing."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

__all__ = ["is_full", "unless_full"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def is_full(error: BaseException | None) -> bool:
    """Whether this is an :class:`OSError` that says so.

    The disk or the user's quota is full, or the kernel made it read-only, as it does with one that breaks.
    """
    return isinstance(error, OSError) and error.errno in _FULL


@contextlib.contextmanager
def unless_full() -> Iterator[None]:
    """Do what can be done: that the disk takes nothing more is no error here."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise

"""A disk that is full: what cannot be kept on it is left out and said, and stops nothing."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

__all__ = ["is_full", "unless_full"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: BaseException | None) -> bool:
    """Whether this is an :class:`OSError` that says so, of the disk or of the user's quota."""
    return isinstance(error, OSError) and error.errno in _FULL


@contextlib.contextmanager
def unless_full() -> Iterator[None]:
    """Do what can be done: that the disk is full is no error here."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise

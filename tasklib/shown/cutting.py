"""PURE: what is too long to be shown, shortened in one way. Secrets are masked before anything is cut."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["CUT", "flat", "several", "shorten", "without_middle", "without_password"]

CUT = "..."
"""Marks what was cut, also where there is nothing but ASCII."""


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, its end cut where it is longer."""
    if len(text) <= limit:
        return text
    return text[: max(0, limit - len(CUT))] + CUT[:limit]


def flat(text: str, limit: int) -> str:
    """The same in one line."""
    return shorten(" ".join(text.split()), limit)


def without_middle(text: str, limit: int, *, mark: str = f" {CUT} ") -> str:
    """``text``, without its middle where it is longer than ``limit``: ``mark`` stands there.

    ``{left}`` in the mark becomes the number of characters left out.
    """
    if len(text) <= limit:
        return text
    half = max(1, limit // 2)
    return f"{text[:half]}{mark.format(left=len(text) - 2 * half)}{text[-half:]}"


def several(names: Sequence[str], most: int = 3, *, join: str = ", ") -> str:
    """``a, b, c and 4 more``: the first ``most``, and how many there are beside them."""
    more = f"{';' if ';' in join else ''} and {len(names) - most} more" if len(names) > most else ""
    return join.join(names[:most]) + more


def without_password(text: str) -> str:
    """``text`` without the passwords of addresses in it; an @ may be part of one.

    >>> without_password("tcp://me:secret@build-1:2376 is gone, tcp://me:se@cret@build-1")
    'tcp://me:***@build-1:2376 is gone, tcp://me:***@build-1'
    """
    return re.sub(r"(?<=//)([^/:@\s]*):[^/\s]*@", r"\1:***@", text)

"""Processes of our own look for garbage seldom, and not once more when they end."""

from __future__ import annotations

import atexit
import gc

__all__ = ["look_seldom"]

_SELDOM = 50_000
"""New objects between two looks; what is imported at the start is some ten times as many as Python's 700."""


def look_seldom() -> None:
    """For a process that is ours alone: most of its objects live as long as it does.

    To look through them while it starts and when it ends is a fifth of a short command's processor time.
    """
    gc.set_threshold(_SELDOM, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)

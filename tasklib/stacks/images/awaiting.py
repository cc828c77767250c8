"""What several threads need and one of them makes."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TypeVar

from tasklib import process

__all__ = ["awaited"]

_Made = TypeVar("_Made")

_LOOK = 0.1
"""Seconds between two looks at whether the run is to stop."""


def awaited(future: Future[_Made], cancel: process.Cancel) -> _Made:
    """What whoever makes it comes to; raises what he raises."""
    while True:
        cancel.check()
        try:
            return future.result(timeout=_LOOK)
        except TimeoutError:
            if future.done():
                raise

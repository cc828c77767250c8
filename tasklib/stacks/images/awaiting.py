"""What several threads need and one of them makes."""

from __future__ import annotations

from concurrent.futures import Future, wait
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
        # Not result(timeout): what it raises may as well be what the maker raised.
        if wait([future], _LOOK).done:
            return future.result()

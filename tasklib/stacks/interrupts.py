"""Signals while stacks are up: the first one asks, the second one leaves the rest to the reaper."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from tasklib import process

__all__ = ["interruptible"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interruptible(cancel: process.Cancel, say: Callable[[str], None]) -> Iterator[None]:
    """Turn INT, TERM and HUP into ``cancel``; a second signal ends the process at once, with code 130.

    SIGTERM and SIGHUP would skip every ``finally`` otherwise. Outside the main thread nothing is installed,
    since Python allows it there alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, _: FrameType | None) -> None:
        if cancel.is_set():
            tell("stopped at once; what is left is being removed in the background").join(0.5)
            process.CHILDREN.kill()
            os._exit(130)
        cancel.set(signal.Signals(number).name)
        tell("stopping: ending tests and removing stacks (again: stop at once)")

    def tell(text: str) -> threading.Thread:
        # From a thread: the one that was interrupted may hold the lock that printing needs.
        thread = threading.Thread(target=say, args=(text,), daemon=True)
        thread.start()
        return thread

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

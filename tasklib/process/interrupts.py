"""Signals while stacks are up: the first one asks, the second one leaves the rest to the background."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from tasklib import process

__all__ = ["BACKGROUND", "interruptible"]

BACKGROUND: set[Callable[[], Sequence[str]]] = set()
"""Each tells the names of what another process removes should this one end at once."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ONE = 0.3
"""Seconds within which signals count as one: `timeout` and others signal the process and then its group."""

_LEAVE_BOARD = b"\x1b[?25h\r\n"


@contextlib.contextmanager
def interruptible(cancel: process.Cancel, say: Callable[[str], None]) -> Iterator[None]:
    """Turn INT, TERM and HUP into ``cancel``; a later signal ends the process at once, with code 130.

    SIGTERM and SIGHUP would skip every ``finally`` otherwise. A signal that this process was started to
    ignore (by ``nohup``) stays ignored. Outside the main thread nothing is installed, since Python allows it
    there alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    asked = -_ONE

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal asked
        if time.monotonic() - asked < _ONE:
            return
        if cancel.is_set():
            left = [name for names in tuple(BACKGROUND) for name in names()]
            background = f"; {', '.join(left)} {'is' if len(left) == 1 else 'are'} removed in the background"
            _tell(say, f"stopped{background if left else ''}").join(0.5)
            process.CHILDREN.kill()
            _leave()
        asked = time.monotonic()
        cancel.set("interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}")
        _tell(
            say,
            f"{cancel.reason}: removing the stacks that are up (a second time: a background process does it)",
        )

    ignored = (signal.SIG_IGN, None)
    wanted = [number for number in _SIGNALS if signal.getsignal(number) not in ignored]
    before = {number: signal.signal(number, handle) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(say: Callable[[str], None], text: str) -> threading.Thread:
    """Say it from a thread: the one that was interrupted may hold the lock that printing needs."""
    thread = threading.Thread(target=say, args=(text,), daemon=True)
    thread.start()
    return thread


def _leave() -> None:
    """End without waiting for anything; a live board may have hidden the cursor."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stdout.isatty():
            os.write(sys.stdout.fileno(), _LEAVE_BOARD)
    os._exit(130)

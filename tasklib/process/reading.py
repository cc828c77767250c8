"""Reading what a child writes as it comes, while watching its time and whoever wants it to stop."""

from __future__ import annotations

import contextlib
import math
import os
import select
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import cast

from tasklib.process.cancel import Cancel
from tasklib.process.completed import TimedOut
from tasklib.process.ending import PAUSE, has_exited

__all__ = ["lines"]

_TICK = 0.05
"""Seconds between two looks at a cancellation while a child is silent."""

_BATCH = 0.02
_LITTLE = 4096
"""Seconds of output that are read together, unless more bytes than these come at once."""


def lines(
    child: subprocess.Popen[bytes],
    timeout: float | None,
    cancel: Cancel | None,
    on_tick: Callable[[], None] | None,
) -> Iterator[tuple[str, str]]:
    """Lines of both streams in the order they come, until both end and the child has exited.

    A grandchild that keeps the pipes open after the child's exit is not waited for.
    """
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    tick = 0.0

    def check() -> None:
        nonlocal tick
        if cancel:
            cancel.check()
        now = time.monotonic()
        if on_tick and now >= tick:
            tick = now + _TICK
            on_tick()
        if timeout is not None and now > deadline:
            raise TimedOut(cast("list[str]", child.args), timeout)

    with selectors.DefaultSelector() as selector, _until_exit(child) as pause:
        rest: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        for name, pipe in (("stdout", child.stdout), ("stderr", child.stderr)):
            if pipe:
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, name)
        exited = False
        while selector.get_map():
            ready = selector.select(_TICK)
            check()
            size = 0
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                size += len(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                first, *further = chunk.split(b"\n")
                rest[key.data].append(first)
                for begun in further:
                    line = b"".join(rest[key.data])
                    rest[key.data] = [begun]
                    yield key.data, line.decode(errors="replace").rstrip("\r")
            if not ready and exited:
                break
            exited = has_exited(child)
            if 0 < size < _LITTLE and not exited:
                # One that writes thousands of short lines must not wake us for each of them.
                pause()
        for name, parts in rest.items():
            if tail := b"".join(parts):
                yield name, tail.decode(errors="replace")
    while not has_exited(child):
        check()
        time.sleep(PAUSE)


@contextlib.contextmanager
def _until_exit(child: subprocess.Popen[bytes]) -> Iterator[Callable[[], object]]:
    """A pause of ``_BATCH`` seconds that the child's exit cuts short, where the system can tell."""
    try:
        descriptor = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        yield lambda: time.sleep(PAUSE)
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        yield lambda: poll.poll(_BATCH * 1000)
    finally:
        os.close(descriptor)

"""Whether a failure is the machine's: memory ran out, or it was so busy that something took too long."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

__all__ = ["Machine", "blame", "look"]

_VMSTAT = Path("/proc/vmstat")
_LATE = re.compile(r"time[ds]?[ -]?out|not ready after|ended after|no end after", re.IGNORECASE)
"""What time-outs say, those of tests and ours."""

_BUSY = 4.0
"""Programs that want to run, for each processor, from which on one may miss a time limit for that alone."""


class Machine(Struct, frozen=True):
    """``kills``: how many processes its kernel ended for want of memory since it started.

    ``load``: how many programs wanted to run in the last minute, on so many ``processors``.
    """

    kills: int = 0
    load: float = 0.0
    processors: int = 1


def look() -> Machine:
    """This machine now; what it does not tell is nothing."""
    try:
        rows = dict(line.split(" ", 1) for line in _VMSTAT.read_text().splitlines())
        kills = int(rows.get("oom_kill", "0"))
    except (OSError, ValueError):
        kills = 0
    try:
        load = os.getloadavg()[0]
    except OSError:
        load = 0.0
    return Machine(kills, load, os.cpu_count() or 1)


def blame(before: Machine, now: Machine, said: Iterable[str]) -> str:
    """PURE: what the machine has to do with a failure that ``said`` this; "" where nothing is known of it."""
    if (kills := now.kills - before.kills) > 0:
        what = "a process" if kills == 1 else f"{kills} processes"
        return f"meanwhile the kernel ended {what} of this machine for want of memory: that may be why"
    if now.load >= _BUSY * now.processors and any(map(_LATE.search, said)):
        return (
            f"the machine was busy: {now.load:.0f} programs wanted to run on {now.processors} "
            f"processor{'s' if now.processors > 1 else ''}, and time-outs may come of that alone"
        )
    return ""

"""Ending a child with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

__all__ = ["GRACE", "PAUSE", "end", "has_exited", "signal_group"]

GRACE = 3.0
"""Seconds between TERM and KILL."""

PAUSE = 0.005
"""Seconds between two looks at a child that is about to end."""


def end(child: subprocess.Popen[bytes]) -> None:
    """TERM the child's group, KILL what is left of it after the grace period."""
    if not has_exited(child):
        signal_group(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while not has_exited(child) and time.monotonic() < deadline:
            time.sleep(PAUSE)
    signal_group(child.pid, signal.SIGKILL)


def has_exited(child: subprocess.Popen[bytes]) -> bool:
    """Whether the child has ended. It is not reaped here: its pid and group stay its own until it is."""
    if child.returncode is None and hasattr(os, "waitid"):
        with contextlib.suppress(ChildProcessError):
            return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return child.poll() is not None


def signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)

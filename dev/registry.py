"""Pulls official images where a registry can be reached, without waiting long where none can."""

from __future__ import annotations

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from dev.commands import started, step, stop_all
from dev.errors import CommandFailed
from dev.state import log_file

__all__ = ["pull"]

PROBE_DEADLINE = 10.0
"""Seconds for a registry to show that it has the first image."""
PULL_DEADLINE = 900.0
"""Seconds for one image to arrive once the registry answered."""


def pull(names: tuple[str, ...]) -> frozenset[str]:
    """Those of `names` that were pulled.

    The first is a probe: when it brings no sign of life within PROBE_DEADLINE, or fails, the others are not
    tried. Which registry is asked is the engine's affair.
    """
    answered = threading.Event()
    with step(f"pulling {', '.join(names)}"), ThreadPoolExecutor(max_workers=3) as pool:
        try:
            first = pool.submit(_pull, names[0], PROBE_DEADLINE, answered)
            while not answered.wait(0.05) and not first.done():
                pass
            others = names[1:] if answered.is_set() else ()
            results = {name: pool.submit(_pull, name, PULL_DEADLINE, None) for name in others}
            return frozenset(name for name, done in ({names[0]: first} | results).items() if done.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise


def _pull(name: str, patience: float, answered: threading.Event | None) -> bool:
    """Pull `name` within `patience` seconds. With `answered`, they count until the first line that shows an
    answer; the event is set then, and PULL_DEADLINE counts from there."""
    log = log_file("pull-" + name.replace("/", "-").replace(":", "-"))
    log.unlink(missing_ok=True)
    deadline = time.monotonic() + patience
    try:
        with started(["docker", "pull", name], log) as process:
            while time.monotonic() < deadline:
                with suppress(subprocess.TimeoutExpired):
                    pulled = process.wait(0.1) == 0
                    if answered and pulled:
                        answered.set()
                    return pulled
                if answered and not answered.is_set() and b"Pulling from" in log.read_bytes():
                    answered.set()
                    deadline = time.monotonic() + PULL_DEADLINE
    except CommandFailed:
        pass
    return False

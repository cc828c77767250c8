"""A line now and then while nothing else is printed: CI systems end jobs that say nothing for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tasklib.events import Event, RunStarted
from tasklib.reporting.folds.folding import Reporter
from tasklib.reporting.folds.run import RunState, TargetState
from tasklib.reporting.words.text import one_line, seconds
from tasklib.results import Phase
from tasklib.shown.cutting import several

__all__ = ["Heartbeat"]

FIRST = 60.0
LONGEST = 300.0
"""Seconds of silence before a line: the first time, and what they grow to."""

SHOWN = 3
"""Targets that a line names."""


def _doing(state: TargetState) -> str:
    """What a target is at."""
    if state.progress:
        return one_line(state.progress, 200)
    phase = state.phase or state.last_phase
    if phase is not Phase.TEST:
        return str(phase or "waiting")
    test = max(state.current.values(), key=lambda test: test.since, default=None)
    at = f", at {one_line(test.id, 200)}" if test else ""
    return f"{state.counts.done:,} of {state.counts.total:,} tests{at}"


class Heartbeat:
    """Hands on to ``reporter``, and has ``say`` print a line where nothing has been printed for long.

    ``printed`` tells when something was last printed, as ``clock`` (seconds, monotonic) counts. A context
    manager: nothing is said outside of it.
    """

    def __init__(
        self,
        reporter: Reporter,
        say: Callable[[str], None],
        printed: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reporter = reporter
        self._say = say
        self._printed = printed
        self._clock = clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)
        self._began: float | None = None
        self._pause = FIRST
        self._run = RunState()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(1)

    def tell(self, event: Event, run: RunState) -> None:
        with self._lock:
            self._reporter.tell(event, run)
            self._run = run
            if isinstance(event, RunStarted):
                self._began = self._clock()

    def beat(self) -> float:
        """Say what runs if it is time to; the seconds until it may be the next time."""
        with self._lock:
            now = self._clock()
            due = self._printed() + self._pause
            if now < due or self._began is None or self._run.result is not None:
                return max(due - now, 1.0)
            active = [state for state in self._run.targets.values() if state.active]
            parts = several([f"{state.target} ({_doing(state)})" for state in active], SHOWN)
            self._say(f"still running after {seconds(now - self._began)}: {parts}")
            self._pause = min(self._pause * 2, LONGEST)
            return self._pause

    def _watch(self) -> None:
        wait = FIRST
        while not self._stop.wait(wait):
            try:
                wait = self.beat()
            except (OSError, ValueError):  # Whoever read the lines has gone.
                return

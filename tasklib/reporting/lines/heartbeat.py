"""A line now and then while nothing else is printed: CI systems end jobs that say nothing for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tasklib.events import (
    Event,
    PhaseStarted,
    RunFinished,
    RunStarted,
    Sink,
    TargetFinished,
    TestFinished,
    TestsCollected,
    TestStarted,
)
from tasklib.reporting.words.text import one_line, seconds
from tasklib.results import Phase, Target, TestOutcome

__all__ = ["Heartbeat"]

FIRST = 60.0
LONGEST = 300.0
"""Seconds of silence before a line: the first time, and what they grow to."""

SHOWN = 3
"""Targets that a line names."""


@dataclass
class _Work:
    """What a target is at."""

    phase: Phase | None = None
    total: int = 0
    done: int = 0
    test: str = ""

    def __str__(self) -> str:
        if self.phase is not Phase.TEST:
            return str(self.phase or "waiting")
        at = f", at {one_line(self.test, 200)}" if self.test else ""
        return f"{self.done:,} of {self.total:,} tests{at}"


class Heartbeat:
    """Hands events to ``sink``, and has ``say`` print a line where nothing has been printed for long.

    ``printed`` tells when something was last printed, as ``clock`` (seconds, monotonic) counts. A context
    manager: nothing is said outside of it.
    """

    def __init__(
        self,
        sink: Sink,
        say: Callable[[str], None],
        printed: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink = sink
        self._say = say
        self._printed = printed
        self._clock = clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)
        self._began: float | None = None
        self._pause = FIRST
        self._work: dict[Target, _Work] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(1)

    def emit(self, event: Event) -> None:
        with self._lock:
            self._sink.emit(event)
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._began = self._clock()
            case PhaseStarted():
                self._of(event.target).phase = event.phase
            case TestsCollected():
                self._of(event.target).total = event.total
            case TestStarted():
                self._of(event.target).test = event.id
            case TestFinished() if event.result.outcome is not TestOutcome.RERUN:
                work = self._of(event.target)
                work.done += 1
                work.test = "" if work.test == event.result.id else work.test
            case TargetFinished():
                self._work.pop(event.result.target, None)
            case RunFinished():
                self._began = None

    def _of(self, target: Target) -> _Work:
        return self._work.setdefault(target, _Work())

    def beat(self) -> float:
        """Say what runs if it is time to; the seconds until it may be the next time."""
        with self._lock:
            now = self._clock()
            due = self._printed() + self._pause
            if now < due or self._began is None:
                return max(due - now, 1.0)
            parts = [f"{target} ({work})" for target, work in list(self._work.items())[:SHOWN]]
            more = f" and {len(self._work) - SHOWN} more" if len(self._work) > SHOWN else ""
            self._say(f"still running after {seconds(now - self._began)}: {', '.join(parts)}{more}")
            self._pause = min(self._pause * 2, LONGEST)
            return self._pause

    def _watch(self) -> None:
        wait = FIRST
        while not self._stop.wait(wait):
            try:
                wait = self.beat()
            except (OSError, ValueError):  # Whoever read the lines has gone.
                return

"""What a running suite has come to so far, in bounded memory, told to the sink as it changes."""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable

from msgspec.structs import replace

from tasklib.events import Event, TestFinished, TestsCollected, TestStarted
from tasklib.results import Counts, Target, TestOutcome, TestResult
from tasklib.slow_tests import too_slow

__all__ = ["Tally"]

SLOWEST = 20
"""How many of the slowest tests are kept."""

DETAILED = 200
"""How many failures are kept with their whole text; the further ones keep their message."""


class Tally:
    """Counts, failures, the slowest tests and those that run now."""

    def __init__(self, target: Target, emit: Callable[[Event], None], limit: float = float("inf")) -> None:
        """``limit`` is the seconds that a test of this target should take at most."""
        self.target = target
        self.slow = 0
        """How many took longer."""
        self.warnings = 0
        """What the runner counted, once it has said so."""
        self.split = ""
        """What decided which machine runs which tests, where several share them."""
        self._limit = limit
        self.failures: list[TestResult] = []
        self.running: dict[str, tuple[str, float]] = {}
        """By worker: the test's id, and when it began (seconds since the epoch)."""
        self._emit = emit
        self._outcomes: Counter[TestOutcome] = Counter()
        self._collected = 0
        self._added = 0
        self._slowest: list[tuple[float, int, TestResult]] = []
        self._order = itertools.count()

    @property
    def counts(self) -> Counts:
        seen = self._outcomes
        return Counts(
            total=self._collected + self._added,
            passed=seen[TestOutcome.PASSED],
            failed=seen[TestOutcome.FAILED],
            errors=seen[TestOutcome.ERROR],
            skipped=seen[TestOutcome.SKIPPED],
            xfailed=seen[TestOutcome.XFAILED],
            xpassed=seen[TestOutcome.XPASSED],
            rerun=seen[TestOutcome.RERUN],
            warnings=self.warnings,
        )

    @property
    def slowest(self) -> tuple[TestResult, ...]:
        """The slowest tests, longest first, without what they printed."""
        return tuple(result for _, _, result in sorted(self._slowest, reverse=True))

    def collected(self, total: int) -> None:
        self._collected = total
        self._emit(TestsCollected(self.target, total + self._added, self.split))

    def started(self, test: str, worker: str = "", at: float = 0.0) -> None:
        """``at`` is when, seconds since the epoch (0: now)."""
        at = at or time.time()
        self.running[worker] = (test, at)
        self._emit(TestStarted(self.target, test, worker, at))

    def finished(self, result: TestResult, worker: str = "", at: float = 0.0) -> None:
        for place in (worker, *self.running):
            if self.running.get(place, ("", 0.0))[0] == result.id:
                del self.running[place]
                break
        self._outcomes[result.outcome] += 1
        if result.outcome in (TestOutcome.FAILED, TestOutcome.ERROR):
            full = len(self.failures) < DETAILED
            self.failures.append(result if full else replace(result, detail="", output=""))
        self._time(result)
        self._emit(TestFinished(self.target, result, worker, at or time.time()))

    def added(self, result: TestResult) -> None:
        """A result that nobody collected: a file that cannot be imported, a test that never ended."""
        self._added += 1
        self._emit(TestsCollected(self.target, self._collected + self._added, self.split))
        self.finished(result)

    def _time(self, result: TestResult) -> None:
        seconds = result.seconds
        if result.outcome is not TestOutcome.RERUN and too_slow(result, self._limit):
            self.slow += 1
        if len(self._slowest) >= SLOWEST and seconds <= self._slowest[0][0]:
            return
        lean = replace(result, detail="", output="") if result.detail or result.output else result
        entry = (seconds, next(self._order), lean)
        if len(self._slowest) < SLOWEST:
            heapq.heappush(self._slowest, entry)
        else:
            heapq.heapreplace(self._slowest, entry)

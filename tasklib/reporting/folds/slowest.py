"""``--durations``: the slowest tests over all targets, and every test above its stage's limit."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from msgspec import Struct

from tasklib.events import TestFinished
from tasklib.reporting.folds.run import RunState
from tasklib.reporting.words.failures import titled
from tasklib.results import Stage, Target, TestOutcome, TestResult
from tasklib.shown.cutting import shorten
from tasklib.slow_tests import limit_of, too_slow

__all__ = ["Slowest", "duration_line"]

MAX_MARKED = 100
"""A run whose tests are all slow must not print all of them."""


class Slowest(Struct, frozen=True):
    """Tells of the ``count`` slowest tests of a run, and of those above ``limits`` (seconds by stage)."""

    count: int
    limits: Mapping[Stage, float]
    base: str = ""

    def lines(self, run: RunState) -> list[str]:
        """The slowest first (of equals the earlier), those above their limit marked; empty if nothing ran."""
        tests = [
            (number, test)
            for number, test in enumerate(run.tests)
            if test.result.outcome is not TestOutcome.RERUN
        ]
        slow = [(number, test) for number, test in tests if too_slow(test.result, self._limit(test))]
        # nlargest keeps the earlier of two equals.
        named = {
            **dict(heapq.nlargest(self.count, tests, key=_length)),
            **dict(heapq.nlargest(MAX_MARKED, slow, key=_length)),
        }
        found = [
            duration_line(
                test.target,
                test.result,
                self._limit(test),
                folder=run.folder(test.target),
                base=self.base,
            )
            for _, test in sorted(named.items(), key=lambda entry: (-_length(entry), entry[0]))
        ]
        if len(slow) > MAX_MARKED:
            found.append(f"... and {len(slow) - MAX_MARKED} more tests above their limit ...")
        return ["slowest tests:", *found] if found else []

    def _limit(self, test: TestFinished) -> float:
        return limit_of(test.target.stage, self.limits)


def _length(entry: tuple[int, TestFinished]) -> float:
    return entry[1].result.seconds


def duration_line(
    target: Target, result: TestResult, limit: float, *, folder: str = "", base: str = ""
) -> str:
    """``SLOW  6.20s service api tests/…:58 test_x (setup 0.12s, call 6.00s, teardown 0.08s; limit 5s)``."""
    slow = too_slow(result, limit)
    name = titled(result, folder, base)
    spent = f"setup {result.setup:.2f}s, call {result.call:.2f}s, teardown {result.teardown:.2f}s"
    extra = f"; limit {limit:g}s" if slow else ""
    mark = "SLOW" if slow else "    "
    return shorten(f"{mark} {result.seconds:6.2f}s {target} {name} ({spent}{extra})", 500)

"""``--durations``: the slowest tests over all targets, and every test above its stage's limit."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping

from tasklib.events import Event, TestFinished
from tasklib.reporting.folds.history import History
from tasklib.reporting.words.failures import titled
from tasklib.reporting.words.text import shorten
from tasklib.results import Stage, Target, TestOutcome, TestResult
from tasklib.slow_tests import limit_of, too_slow

__all__ = ["Slowest", "duration_line"]

MAX_MARKED = 100
"""A run whose tests are all slow must not print all of them."""


_Entry = tuple[float, int, Target, TestResult]


class Slowest:
    """Keeps the ``count`` slowest tests of a run, and those above ``limits`` (seconds by stage)."""

    def __init__(self, count: int, limits: Mapping[Stage, float], *, base: str = "") -> None:
        self._count = count
        self._limits = limits
        self._base = base
        self._history = History()
        self._order = itertools.count()
        self._slowest: list[_Entry] = []
        self._marked: list[_Entry] = []
        self._number_marked = 0

    def emit(self, event: Event) -> None:
        self._history.emit(event)
        if not isinstance(event, TestFinished) or event.result.outcome is TestOutcome.RERUN:
            return
        # The negated number keeps the earlier of two equally slow tests.
        entry = (event.result.seconds, -next(self._order), event.target, event.result)
        _keep(self._slowest, entry, self._count)
        if too_slow(event.result, limit_of(event.target.stage, self._limits)):
            self._number_marked += 1
            _keep(self._marked, entry, MAX_MARKED)

    def lines(self) -> list[str]:
        """The slowest first, those above their limit marked; empty if nothing ran."""
        entries = {entry[1]: entry for entry in (*self._slowest, *self._marked)}
        found = [
            duration_line(
                target,
                result,
                limit_of(target.stage, self._limits),
                folder=self._history.folder(target),
                base=self._base,
            )
            for _, _, target, result in sorted(entries.values(), key=lambda entry: entry[:2], reverse=True)
        ]
        if self._number_marked > MAX_MARKED:
            found.append(f"... and {self._number_marked - MAX_MARKED} more tests above their limit ...")
        return ["slowest tests:", *found] if found else []


def _keep(heap: list[_Entry], entry: _Entry, size: int) -> None:
    """Add the entry if it is among the ``size`` largest; numbers differ, so that results are not compared."""
    if len(heap) < size:
        heapq.heappush(heap, entry)
    elif heap:
        heapq.heappushpop(heap, entry)


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

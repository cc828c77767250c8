"""PURE: how long a test process may take, and how long it may say nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from tasklib.pipeline.suites.suite import Suite

__all__ = ["Patience"]


@dataclass
class Patience:
    """Says when enough is enough; every time is of one monotonic clock, in seconds.

    ``heard`` is when the process last gave a sign of life, ``ended`` when its runner said that it was done.
    """

    suite: Suite
    heard: float
    began: float | None
    ended: float | None = field(default=None, init=False)

    def left_over(self, now: float) -> float:
        """For how long the process has outlived its tests."""
        return 0.0 if self.ended is None else now - self.ended

    def too_long(self, now: float) -> bool:
        """Whether the suite's time limit is over; there is none before it has begun."""
        limit = self.suite.timeout
        return limit is not None and self.began is not None and now > self.began + limit

    def too_silent(self, now: float) -> bool:
        """Whether nothing was heard for too long, where nobody has said how long it may take."""
        waits = self.began is None or self.suite.timeout is not None or self.ended is not None
        return not waits and now > max(self.heard, self.began or 0.0) + self.suite.silence

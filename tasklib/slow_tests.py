"""Tests that take longer than their stage allows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from tasklib.results import Outcome, Stage, TargetResult, TestOutcome, TestResult

__all__ = ["DEFAULT_LIMITS", "fail_slow", "limit_of", "too_slow"]

DEFAULT_LIMITS: Mapping[Stage, float] = MappingProxyType(
    {Stage.UNIT: 1.0, Stage.SERVICE: 5.0, Stage.INTEGRATION: 5.0}
)
"""Seconds a test of each stage may take."""


def limit_of(stage: Stage, limits: Mapping[Stage, float]) -> float:
    """The stage's limit in seconds, by default the usual one."""
    return limits.get(stage, DEFAULT_LIMITS[stage])


def too_slow(test: TestResult, limit: float) -> bool:
    """Whether the test ran, and for longer than ``limit`` seconds with its setup and teardown.

    What stands for many tests is as long as they are together.
    """
    return test.outcome is not TestOutcome.SKIPPED and not test.whole and test.seconds > limit


def fail_slow(result: TargetResult, limits: Mapping[Stage, float]) -> TargetResult:
    """``result``, failed for its slow tests if it passed and has any."""
    limit = limit_of(result.target.stage, limits)
    slow = [test for test in result.slowest if too_slow(test, limit)]
    if result.outcome is not Outcome.PASSED or not slow:
        return result
    found = max(result.slow, len(slow))
    number = f"{found:,} tests" if found > 1 else "a test"
    worst = max(slow, key=lambda test: test.seconds)
    reason = f"{number} took longer than {limit:g}s, {worst.id} {worst.seconds:.1f}s"
    return replace(result, outcome=Outcome.FAILED, reason=reason)

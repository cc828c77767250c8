"""Counts as people read them."""

from __future__ import annotations

from tasklib.reporting.words.wording import counts, total
from tasklib.results import Counts, Outcome


def test_what_is_none_is_not_named() -> None:
    """Warnings are counted as well, over all targets; what did not run, where something kept it."""
    some = Counts(total=5, passed=2, failed=1, warnings=1)
    assert counts(some, outcome=Outcome.FAILED) == "1 failed, 2 passed, 1 warning, 2 not run"
    assert counts(some, outcome=Outcome.PASSED) == "1 failed, 2 passed, 1 warning"
    assert counts(total([some, some]), outcome=Outcome.FAILED) == "2 failed, 4 passed, 2 warnings, 4 not run"

"""Slow tests are named, and fail a target where that was asked for."""

from __future__ import annotations

import io
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tasklib.events import TestFinished
from tasklib.reporting.folds.folding import Folding
from tasklib.reporting.folds.run import RunState, advance
from tasklib.reporting.folds.slowest import Slowest
from tasklib.reporting.lines.plain import PlainSink
from tasklib.results import Outcome, Stage, Target, TargetResult, TestOutcome, TestResult
from tasklib.slow_tests import fail_slow

from .. import recordings

API = Target(Stage.UNIT, "api")
STACK = Target(Stage.SERVICE, "api")


def a_test(name: str, call: float) -> TestResult:
    return TestResult(f"t.py::{name}", TestOutcome.PASSED, 0.25, call, 0.25, file="t.py", line=3)


def lines(found: Sequence[tuple[Target, TestResult]], count: int) -> list[str]:
    slowest = Slowest(count, {Stage.SERVICE: 5.0})
    run = RunState()
    for target, result in found:
        run = advance(run, TestFinished(target, result))
    return slowest.lines(run)


def test_the_slowest_of_all_targets_are_named_and_marked() -> None:
    """The slowest come first; one above its stage's limit is marked, with what it spent where."""
    found = lines([(API, a_test("a", 0.1)), (STACK, a_test("b", 2.0)), (API, a_test("c", 1.0))], 2)
    assert found == [
        "slowest tests:",
        "       2.50s service api t.py:3 b (setup 0.25s, call 2.00s, teardown 0.25s)",
        "SLOW   1.50s unit api t.py:3 c (setup 0.25s, call 1.00s, teardown 0.25s; limit 1s)",
    ]


@given(st.lists(st.floats(0, 10), max_size=40), st.integers(0, 5))
def test_every_test_above_its_limit_is_named(calls: list[float], count: int) -> None:
    """However few were asked for, none above the limit is missing, and the order is by length."""
    found = lines([(API, a_test(f"t{index}", call)) for index, call in enumerate(calls)], count)
    slow = [f"t{index}" for index, call in enumerate(calls) if call + 0.5 > 1.0]
    assert sorted(line.split()[5] for line in found[1:] if line.startswith("SLOW")) == sorted(slow)
    lengths = [float(line.replace("SLOW", "").split()[0][:-1]) for line in found[1:]]
    assert lengths == sorted(lengths, reverse=True)
    assert len(lengths) <= max(count, len(slow))


def test_slow_tests_are_printed_before_the_last_line() -> None:
    """The summary stays the last line."""
    stream = io.StringIO()
    sink = Folding(PlainSink(stream, slowest=Slowest(3, {})))
    for event in recordings.large():
        sink.emit(event)
    found = stream.getvalue().splitlines()
    start = found.index("slowest tests:")
    assert len([line for line in found[start + 1 : -1] if line.startswith("SLOW")]) == 2
    assert found[-1].startswith("ERROR")


def test_a_whole_command_is_no_slow_test() -> None:
    """It is as long as all of its tests, of which nobody told."""
    whole = TestResult("npm test", TestOutcome.PASSED, call=30, whole=True)
    result = TargetResult(Target(Stage.UNIT, "web"), Outcome.PASSED, slowest=(whole,))
    assert fail_slow(result, {}) is result


def test_fail_slow_fails_a_passed_target_and_names_the_test() -> None:
    """A target whose tests passed fails for a slow one; another outcome stays as it is."""
    result = TargetResult(API, Outcome.PASSED, slowest=(a_test("a", 2.0), a_test("b", 0.1)))
    failed = fail_slow(result, {})
    assert failed.outcome is Outcome.FAILED
    assert failed.reason == "a test took longer than 1s, t.py::a 2.5s"
    assert fail_slow(result, {Stage.UNIT: 3}) is result
    broken = TargetResult(API, Outcome.ERROR, slowest=result.slowest)
    assert fail_slow(broken, {}) is broken


def test_all_slow_tests_are_counted_where_only_the_slowest_are_kept() -> None:
    """A target keeps the results of its twenty slowest; thirty were too slow."""
    kept = tuple(a_test(f"test_{number}", 2.0) for number in range(20))
    result = TargetResult(API, Outcome.PASSED, slowest=kept, slow=30)
    assert fail_slow(result, {}).reason.startswith("30 tests took longer than 1s")

"""pytest with the plugins that change how tests run and are reported."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tasklib.errors import ConfigError
from tasklib.events import Notice, TestFinished, TestStarted
from tasklib.results import Counts, Outcome, TestOutcome

XDIST = ["pytest==6.2.5 pytest-xdist==2.5.0", "pytest==8.4.2 pytest-xdist", "pytest>=9,<10 pytest-xdist"]
RERUN = ["pytest==7.4.4 pytest-rerunfailures==13.0", "pytest>=9,<10 pytest-rerunfailures"]
SUBTESTS = ["pytest==7.4.4 pytest-subtests==0.13.1", "pytest>=9,<10"]


@pytest.mark.parametrize("needs", XDIST)
def test_parallel_workers_are_counted_once_and_told_apart(needs: str, run: Callable[..., Any]) -> None:
    """Under xdist the total is that of one collection, and each test names the worker that runs it."""
    files = {
        "tests/unit/test_a.py": """
            import pytest

            @pytest.mark.parametrize("number", range(10))
            def test_number(number):
                assert number != 7
        """,
        "tests/unit/test_broken.py": "import nonesuch\n",
    }
    ran = run(files, "-n", "2", "--continue-on-collection-errors", needs=tuple(needs.split()))
    assert ran.result.outcome is Outcome.FAILED, ran.output
    assert ran.result.counts == Counts(total=11, passed=9, failed=1, errors=1)
    failed = ran.test("[7]")
    assert (failed.file, failed.line, failed.message) == ("tests/unit/test_a.py", 6, "assert 7 != 7")
    broken = ran.test("test_broken.py")
    assert broken.message == "ModuleNotFoundError: No module named 'nonesuch'"
    starts = [event for event in ran.events if isinstance(event, TestStarted)]
    ends = {e.result.id: e.worker for e in ran.events if isinstance(e, TestFinished) and e.worker}
    assert len(starts) == 10
    assert {start.worker for start in starts} <= {"gw0", "gw1"}
    assert {start.id: start.worker for start in starts} == ends


@pytest.mark.parametrize("needs", XDIST[1:])
def test_a_worker_that_dies_fails_the_test_it_ran(needs: str, run: Callable[..., Any]) -> None:
    """xdist replaces a dead worker; the test that killed it is a failure, the rest go on."""
    test = """
        import os
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_number(number):
            if number == 2:
                os._exit(3)
    """
    ran = run({"tests/unit/test_a.py": test}, "-n", "2", needs=tuple(needs.split()))
    assert ran.result.outcome is Outcome.FAILED, ran.output
    assert (ran.result.counts.passed, ran.result.counts.failed) == (5, 1)
    assert [failure.id for failure in ran.result.failures] == ["tests/unit/test_a.py::test_number[2]"]
    assert "crashed" in ran.result.failures[0].message


@pytest.mark.parametrize("needs", RERUN)
def test_attempts_that_are_repeated_are_reruns_and_not_results(needs: str, run: Callable[..., Any]) -> None:
    """A flaky test passes once and counts its attempts apart; one that never passes fails once."""
    test = """
        attempts = []

        def test_flaky():
            attempts.append(1)
            assert len(attempts) == 3

        def test_hopeless():
            assert 0

        def test_fine(): pass
    """
    ran = run({"tests/unit/test_a.py": test}, "--reruns", "2", needs=tuple(needs.split()))
    assert ran.result.outcome is Outcome.FAILED
    assert ran.result.counts == Counts(total=3, passed=2, failed=1, rerun=4)
    reruns = [test for test in ran.tests if test.outcome is TestOutcome.RERUN]
    assert reruns[0].message == "assert 1 == 3, where 1 = len([1])"


@pytest.mark.parametrize("needs", [*RERUN])
def test_attempts_are_counted_under_xdist_too(needs: str, run: Callable[..., Any]) -> None:
    """Reruns in workers arrive as reruns."""
    test = """
        attempts = []

        def test_flaky():
            attempts.append(1)
            assert len(attempts) == 2
    """
    ran = run(
        {"tests/unit/test_a.py": test}, "--reruns", "2", "-n", "1", needs=(*needs.split(), "pytest-xdist")
    )
    assert (ran.result.outcome, ran.result.counts) == (Outcome.PASSED, Counts(total=1, passed=1, rerun=1))


@pytest.mark.parametrize("extra", [(), ("-n", "1")], ids=["alone", "xdist"])
@pytest.mark.parametrize("needs", SUBTESTS)
def test_failing_subtests_make_one_failed_test(
    needs: str, extra: tuple[str, ...], run: Callable[..., Any]
) -> None:
    """Subtests do not change how many tests there are; each failure among them is in the test's detail."""
    test = """
        import unittest

        def test_fixture(subtests):
            for number in range(4):
                with subtests.test(msg="step", number=number):
                    assert number % 2 == 0

        def test_all_pass(subtests):
            with subtests.test("fine"):
                pass

        class TestCase(unittest.TestCase):
            def test_case(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertNotEqual(number, 1)
    """
    ran = run({"tests/unit/test_a.py": test}, *extra, needs=(*needs.split(), "pytest-xdist"))
    assert ran.result.outcome is Outcome.FAILED, ran.output
    assert ran.result.counts == Counts(total=3, passed=1, failed=2)
    failed = ran.test("::test_fixture")
    # Some releases show the values that xdist carried over as their representations.
    assert failed.message.replace("'1'", "1") == "[step] (number=1) assert (1 % 2) == 0 (and 1 more)"
    assert "number=3" in failed.detail.replace("'3'", "3")
    assert failed.line == 7
    assert ran.test("::test_case").message.replace("'1'", "1").startswith("(number=1) AssertionError: 1 == 1")


def test_too_little_coverage_fails_a_target_whose_tests_pass(run: Callable[..., Any]) -> None:
    """pytest-cov's threshold is a failure with both numbers, not an unexplained exit code."""
    files = {
        "code.py": "def used():\n    return 1\n\n\ndef unused():\n    x = 1\n    return x\n",
        "conftest.py": "",
        "tests/unit/test_a.py": "import code_under_test\n\n\ndef test_a():\n    code_under_test.used()\n",
        "code_under_test.py": "def used():\n    return 1\n\n\ndef unused():\n    x = 1\n    return x\n",
    }
    ran = run(files, "--cov=code_under_test", "--cov-fail-under=90", needs=("pytest>=9,<10", "pytest-cov"))
    assert ran.result.outcome is Outcome.FAILED, ran.output
    assert ran.result.reason == "coverage is 60.00 %, below the 90 % that the project asks for"
    assert ran.result.exit_code == 0


def test_a_frozen_clock_freezes_no_event(run: Callable[..., Any]) -> None:
    """Tests that stop time do so for themselves: when they ran stays true."""
    test = """
        import pytest
        from freezegun import freeze_time

        @pytest.fixture(autouse=True, scope="module")
        def frozen():
            with freeze_time("2012-01-14"):
                yield

        def test_a(): pass
        def test_b(): pass
    """
    began = time.time()
    ran = run({"tests/unit/test_a.py": test}, needs=("pytest>=9,<10", "freezegun"))
    assert (ran.result.outcome, ran.result.counts.passed) == (Outcome.PASSED, 2), ran.output
    assert all(began <= event.at <= time.time() for event in ran.events)
    assert all(0 <= test.seconds < 60 for test in ran.tests)


@pytest.mark.parametrize("launcher", [("pytest",), ("-m", "pytest")], ids=" ".join)
def test_modules_of_the_services_own_take_no_place_of_ours(
    launcher: tuple[str, ...], run: Callable[..., Any]
) -> None:
    """`python -m pytest` looks into the folder that it is started in first, whatever lies there."""
    own = "raise SystemExit('this is not the plugin')\n"
    files = {
        **{f"{name}.py": own for name in ("tasklib_events", "events", "databases", "clones", "postgres")},
        "inject/__init__.py": own,
        "tests/unit/test_a.py": "def test_a(): pass\n",
    }
    command = (sys.executable, *launcher) if launcher[0] == "-m" else launcher
    ran = run(files, needs=(), command=command)
    assert ran.result.outcome is Outcome.PASSED, ran.output
    assert ran.result.counts == Counts(total=1, passed=1)


@pytest.mark.parametrize("name", ["tasklib_in_pytest.py", "tasklib_in_pytest/__init__.py"])
def test_what_is_called_as_the_plugin_is_refused(run: Callable[..., Any], name: str) -> None:
    """It would be loaded instead, and pytest would run without a word to us."""
    files = {name: "", "tests/unit/test_a.py": "def test_a(): pass\n"}
    with pytest.raises(ConfigError, match="would be loaded instead"):
        run(files, needs=())


@pytest.mark.parametrize("extra", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_what_a_failed_command_said_is_shown(extra: tuple[str, ...], run: Callable[..., Any]) -> None:
    """subprocess keeps it from the message of its error, and the test printed nothing itself."""
    test = """
        import subprocess, sys

        def test_command():
            script = "import sys; print('migrating'); sys.exit('no such table')"
            subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    """
    ran = run({"tests/unit/test_a.py": test}, *extra, needs=("pytest>=9,<10", "pytest-xdist"))
    [failure] = ran.result.failures
    assert "migrating" in failure.output
    assert "no such table" in failure.output


def test_the_seed_of_a_random_order_is_told(run: Callable[..., Any]) -> None:
    """Whoever repeats a failure needs it; where nothing failed, nobody does."""
    test = {"tests/unit/test_a.py": "def test_a(): assert 0\ndef test_b(): pass\n"}
    needs = ("pytest>=9,<10", "pytest-randomly")
    ran = run(test, "--randomly-seed=4711", needs=needs)
    told = [event.text for event in ran.events if isinstance(event, Notice)]
    assert told == ["`-- --randomly-seed=4711` repeats the order and the random values of its tests"]
    assert not [e for e in run({}, needs=needs, keyword="test_b").events if isinstance(e, Notice)]


def test_a_plugin_that_calls_the_place_by_the_tests_id(run: Callable[..., Any]) -> None:
    """pytest-check gives no file for its failures: the place is the test's own."""
    code = (
        "from pytest_check import check\n\ndef test_sums():\n    check.equal(1, 2)\n    check.equal(3, 4)\n"
    )
    ran = run({"tests/unit/test_a.py": code}, needs=("pytest>=9,<10", "pytest-check"))
    failed = ran.test("test_sums")
    assert (failed.file, failed.line) == ("tests/unit/test_a.py", 3), ran.output


def test_hypothesis_finds_all_objects_while_tests_run(run: Callable[..., Any]) -> None:
    """It asks for the referrers of a generator: what the collector leaves alone would have none."""
    test = """
        import gc, random
        from hypothesis import given, strategies

        generator = random.Random(1)

        @given(strategies.integers())
        def test_number(number):
            assert number == number

        def test_everything_is_seen():
            assert gc.get_freeze_count() == 0
            assert gc.get_threshold()[0] < 50000
            assert gc.get_referrers(generator)
    """
    files = {"tests/unit/test_a.py": test}
    ran = run(files, "-n", "2", "-W", "error", needs=(*XDIST[-1].split(), "hypothesis"))
    assert ran.result.counts == Counts(total=2, passed=2), ran.output

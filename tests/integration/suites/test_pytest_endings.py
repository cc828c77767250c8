"""Every way a pytest process can end, and what its target comes to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tasklib.events import Event, TestStarted
from tasklib.process import Cancel
from tasklib.results import Counts, Outcome, TestOutcome

BOTH = ["pytest==6.2.5", "pytest>=9,<10"]

LIMIT = 10.0
"""Seconds that a suite which hangs is given: enough for a busy machine to come to its tests."""


@pytest.mark.parametrize("release", BOTH)
def test_no_tests_is_not_a_pass(release: str, run: Callable[..., Any]) -> None:
    """A folder without a single test is an error that names the folder."""
    ran = run({"tests/unit/test_a.py": "x = 1\n"}, needs=(release,))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 2)
    assert ran.result.reason == "no tests found in tests/unit"


def test_a_keyword_that_matches_nothing_skips_the_target(run: Callable[..., Any]) -> None:
    """With -k another target may hold the test: this one says that it does not."""
    ran = run({"tests/unit/test_a.py": "def test_a(): pass\n"}, keyword="nonesuch")
    assert ran.result.outcome is Outcome.SKIPPED
    assert ran.result.reason == "no test matches -k 'nonesuch'"
    assert ran.result.counts == Counts()


def test_a_keyword_narrows_and_the_total_follows(run: Callable[..., Any]) -> None:
    """The total is what is left after -k, and what follows -- reaches pytest."""
    ran = run(
        {"tests/unit/test_a.py": "def test_a(): pass\ndef test_b(): pass\n"},
        "-q",
        keyword="test_b or nothing",
    )
    assert (ran.result.outcome, ran.result.counts) == (Outcome.PASSED, Counts(total=1, passed=1))


def test_tests_named_after_the_dashes_replace_the_folder(run: Callable[..., Any]) -> None:
    """`-- tests/unit/test_a.py::test_b` runs that test alone."""
    files = {"tests/unit/test_a.py": "def test_a(): assert 0\ndef test_b(): pass\n"}
    ran = run(files, "tests/unit/test_a.py::test_b")
    assert list(ran.outcomes) == ["tests/unit/test_a.py::test_b"]


def test_tests_that_are_all_deselected_are_not_a_pass(run: Callable[..., Any]) -> None:
    """Without -k it is the project's own configuration that leaves nothing: an error."""
    files = {
        "pytest.ini": "[pytest]\naddopts = -m slow\nmarkers = slow\n",
        "tests/unit/test_a.py": "def test_a(): pass\n",
    }
    ran = run(files)
    assert ran.result.outcome is Outcome.ERROR
    assert ran.result.reason.startswith("no test ran: all 1 in tests/unit are deselected by -m 'slow': ")
    words = run({"pytest.ini": "[pytest]\naddopts = -k 'not test_a'\n"})
    assert words.result.reason.startswith(
        "no test ran: all 1 in tests/unit are deselected by -k 'not test_a': run them with `-- -k ''`"
    )
    own = run({"pytest.ini": "[pytest]\nmarkers = slow\n"}, "-m", "slow")
    assert own.result.reason == "no test ran: all 1 in tests/unit are deselected"


def test_modules_that_all_skip_themselves_are_not_a_pass(run: Callable[..., Any]) -> None:
    """A module skipped while collected is a skip with its reason; nothing else there is an error."""
    module = "import pytest\npytest.importorskip('nonesuch')\ndef test_a(): pass\n"
    ran = run({"tests/unit/test_a.py": module})
    assert ran.result.outcome is Outcome.ERROR
    assert ran.result.reason == "no test ran: every module skipped itself"
    assert ran.tests[0].outcome is TestOutcome.SKIPPED
    assert "could not import 'nonesuch'" in ran.tests[0].message


@pytest.mark.parametrize("release", BOTH)
@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("os._exit(0)", "exit code 0"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("ctypes.string_at(0)", "SIGSEGV"),
    ],
)
def test_an_interpreter_that_dies_names_the_test_that_ran(
    way: str, said: str, release: str, run: Callable[..., Any]
) -> None:
    """A process that went before it said so is no pass, whatever its exit code; its test is the failure."""
    test = f"""
        import ctypes
        import os

        def test_before(): pass

        def test_deadly():
            {way}

        def test_after(): pass
    """
    ran = run({"tests/unit/test_a.py": test}, needs=(release,))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 1)
    name = "tests/unit/test_a.py::test_deadly"
    assert ran.result.reason == f"the test process ended while {name} ran ({said})"
    assert ran.result.counts == Counts(total=3, passed=1, errors=1)
    [failure] = ran.result.failures
    assert (failure.id, failure.file) == (name, "tests/unit/test_a.py")
    if said == "SIGSEGV":
        assert failure.line == 8
        assert "Segmentation fault" in failure.detail


@pytest.mark.parametrize("release", BOTH)
def test_a_hang_is_ended_and_shows_where_it_hangs(release: str, run: Callable[..., Any]) -> None:
    """The time limit ends the process; the test that ran is the failure, with the line it stands at."""
    test = """
        import time

        def test_quick(): pass

        def wait():
            time.sleep(600)

        def test_hangs():
            wait()
    """
    ran = run({"tests/unit/test_a.py": test}, timeout=LIMIT, needs=(release,))
    assert ran.result.seconds < LIMIT + 5
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 1)
    name = "tests/unit/test_a.py::test_hangs"
    assert ran.result.reason == f"ended after {LIMIT:g} s, its time limit: {name} was running"
    [failure] = ran.result.failures
    assert (failure.id, failure.line) == (name, 7)
    assert failure.message == f"still running at the time limit of {LIMIT:g} s"
    assert "in wait" in failure.detail
    assert "in test_hangs" in failure.detail
    assert "_pytest" not in failure.detail
    assert 0 < failure.seconds < LIMIT


def test_every_hanging_worker_is_named(run: Callable[..., Any]) -> None:
    """Under xdist each worker's test is a failure of its own, with its own stack."""
    test = """
        import time

        def test_a(): time.sleep(600)
        def test_b(): time.sleep(600)
    """
    ran = run(
        {"tests/unit/test_a.py": test}, "-n", "2", timeout=LIMIT, needs=("pytest>=9,<10", "pytest-xdist")
    )
    assert ran.result.outcome is Outcome.ERROR
    assert "test_a and " in ran.result.reason or "test_b and " in ran.result.reason
    assert sorted(failure.line or 0 for failure in ran.result.failures) == [4, 5]


def test_a_module_that_hangs_when_imported_shows_where(run: Callable[..., Any]) -> None:
    """Where no test has begun, the failure is the collection, with the line it stands at."""
    ran = run({"tests/unit/test_a.py": "import time\ntime.sleep(600)\n"}, timeout=LIMIT)
    assert ran.result.outcome is Outcome.ERROR
    assert ran.result.reason == f"ended after {LIMIT:g} s, its time limit: it had not come to its tests"
    [failure] = ran.result.failures
    assert failure.id == "collection"
    assert 'test_a.py", line 2' in failure.detail


def test_a_slow_test_is_known_while_it_runs(run: Callable[..., Any]) -> None:
    """The start of a test is told within moments, not when it ends."""
    seen: list[float] = []

    def watch(event: Event) -> None:
        if isinstance(event, TestStarted) and event.id.endswith("test_slow"):
            seen.append(time.time())

    files = {
        "tests/unit/test_a.py": """
            import time
            from pathlib import Path

            def test_fast(): pass

            def test_slow():
                Path("began").write_text(str(time.time()))
                time.sleep(1)
        """
    }
    ran = run(files, on_event=watch)
    assert ran.result.outcome is Outcome.PASSED
    finished = next(
        event.at for event in ran.events if getattr(event, "result", None) == ran.test("test_slow")
    )
    assert finished - seen[0] > 0.7
    assert ran.test("test_slow").call > 0.9


@pytest.mark.parametrize("release", BOTH)
def test_a_keyboard_interrupt_inside_is_an_error_that_names_the_test(
    release: str, run: Callable[..., Any]
) -> None:
    """Nobody pressed Ctrl-C: a test that raises KeyboardInterrupt stopped the session."""
    files = {"tests/unit/test_a.py": "def test_a(): raise KeyboardInterrupt\n"}
    ran = run(files, needs=(release,))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 1)
    assert ran.result.reason == "KeyboardInterrupt in tests/unit/test_a.py::test_a"


def test_pytest_exit_is_an_error_with_its_reason(run: Callable[..., Any]) -> None:
    """`pytest.exit` with code 0 does not make a pass of the tests that did not run."""
    files = {"tests/unit/test_a.py": "import pytest\ndef test_a(): pytest.exit('had enough', returncode=0)\n"}
    ran = run(files)
    assert (ran.result.outcome, ran.result.reason) == (Outcome.ERROR, "had enough")


@pytest.mark.parametrize("release", BOTH)
def test_a_conftest_that_cannot_be_loaded_is_named_with_its_cause(
    release: str, run: Callable[..., Any]
) -> None:
    """The reason names the conftest and the exception; the traceback is in the failure."""
    files = {"tests/unit/conftest.py": "import nonesuch\n", "tests/unit/test_a.py": "def test_a(): pass\n"}
    ran = run(files, needs=(release,))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 1)
    assert ran.result.reason == (
        "its conftest cannot be loaded: tests/unit/conftest.py:1: "
        "ModuleNotFoundError: No module named 'nonesuch'"
    )
    assert "import nonesuch" in ran.result.failures[0].detail


@pytest.mark.parametrize("release", BOTH)
def test_arguments_that_pytest_refuses_are_wrong_usage(release: str, run: Callable[..., Any]) -> None:
    """An unknown option and a test that does not exist exit 2, in pytest's own words."""
    files = {"tests/unit/test_a.py": "def test_a(): pass\n"}
    ran = run(files, "--nonesuch", needs=(release,))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 2)
    assert "--nonesuch" in ran.result.reason
    ran = run(files, "tests/unit/test_a.py::test_z", needs=(release,))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 2)
    assert "not found" in ran.result.reason
    assert "test_z" in ran.result.reason


@pytest.mark.parametrize("release", BOTH)
def test_a_plugin_that_breaks_is_an_error_with_its_exception(release: str, run: Callable[..., Any]) -> None:
    """An internal error is told by its exception, not by a page of traceback."""
    files = {
        "tests/unit/conftest.py": "def pytest_collection_modifyitems(): raise ValueError('bad plugin')\n",
        "tests/unit/test_a.py": "def test_a(): pass\n",
    }
    ran = run(files, needs=(release,))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 1)
    assert (
        ran.result.reason
        == "pytest or a plugin of it broke: tests/unit/conftest.py:1: ValueError: bad plugin"
    )


def test_an_environment_that_cannot_be_made_says_why(run: Callable[..., Any]) -> None:
    """What uv says of requirements that do not exist is the reason."""
    ran = run({"tests/unit/test_a.py": "def test_a(): pass\n"}, needs=("pytest==0.0.0",))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 2)
    assert ran.result.reason.startswith("pytest did not start (exit code ")
    assert "pytest==0.0.0" in ran.result.reason


def test_an_exit_code_that_no_test_explains_is_an_error(run: Callable[..., Any]) -> None:
    """A hook that turns the exit code bad is believed."""
    files = {
        "tests/unit/conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 17\n",
        "tests/unit/test_a.py": "def test_a(): pass\n",
    }
    ran = run(files)
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 1)
    assert ran.result.reason.startswith("no test failed, but pytest ended with exit code 17")


def test_collecting_alone_passes(run: Callable[..., Any]) -> None:
    """`-- --collect-only` runs nothing, and that is what was asked for."""
    ran = run({"tests/unit/test_a.py": "def test_a(): pass\n"}, "--collect-only")
    assert (ran.result.outcome, ran.result.counts) == (Outcome.PASSED, Counts(total=1))


def test_an_interrupt_of_ours_keeps_what_was_learnt(run: Callable[..., Any]) -> None:
    """Cancelled in the middle: INTERRUPTED, with the counts so far, at once."""
    cancel = Cancel()

    def press(event: Event) -> None:
        if isinstance(event, TestStarted) and event.id.endswith("test_slow"):
            cancel.set()

    files = {"tests/unit/test_a.py": "import time\ndef test_fast(): pass\ndef test_slow(): time.sleep(600)\n"}
    began = time.monotonic()
    ran = run(files, cancel=cancel, on_event=press)
    assert time.monotonic() - began < 15
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.INTERRUPTED, 130)
    assert ran.result.counts == Counts(total=2, passed=1)


def test_output_that_is_no_text_and_huge_failures_are_borne(run: Callable[..., Any]) -> None:
    """Bytes that are no UTF-8, lone surrogates and megabytes of output neither break nor fill anything."""
    test = r"""
        import sys

        def test_bytes():
            sys.stdout.buffer.write(b"\xff\xfe\n")
            assert "\udcff" == "x"

        def test_flood():
            print("x" * 5_000_000)
            assert 0, "y" * 1_000_000
    """
    ran = run({"tests/unit/test_a.py": test})
    assert ran.result.outcome is Outcome.FAILED
    assert ran.result.counts.failed == 2
    for failure in ran.result.failures:
        for text in (failure.message, failure.detail, failure.output):
            assert len(text.encode()) < 200_000
    assert len(ran.test("::test_flood").message) <= 500


def test_a_time_limit_of_pytest_timeout_shows_where_it_hung(run: Callable[..., Any]) -> None:
    """Its thread method ends the process: what counts are the stacks that it prints before, and the place."""
    ran = run(
        {
            "tests/unit/test_a.py": "import time\ndef helper(): time.sleep(60)\ndef test_a(): helper()\n",
            "pytest.ini": "[pytest]\ntimeout = 1\ntimeout_method = thread\n",
        },
        needs=("pytest>=9", "pytest-timeout"),
    )
    [failure] = ran.result.failures
    assert (failure.file, failure.line) == ("tests/unit/test_a.py", 2)
    assert "session starts" not in failure.detail
    assert "in helper" in failure.detail

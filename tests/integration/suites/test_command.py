"""Any other test command, by its JUnit report or by its exit code."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tasklib.events import Event, Output
from tasklib.process import Cancel
from tasklib.results import Counts, Outcome, TestOutcome

REPORT = """
import sys
path = sys.argv[1].partition("=")[2]
case = '<testcase classname="a" name="{}" time="0.1">{}</testcase>'
bad = '<failure message="1 is not 2">trace</failure>'
open(path, "w").write("<testsuite>" + case.format("good", "") + case.format("bad", bad) + "</testsuite>")
print("printed")
sys.exit(int(sys.argv[2]))
"""
TEST = {"tests/unit/suite.txt": "", "report.py": REPORT}


def test_a_report_tells_the_tests(run: Callable[..., Any]) -> None:
    """`{junit}` in the command becomes the file that its report is read from."""
    command = (sys.executable, "report.py", "--junit={junit}", "1")
    ran = run(TEST, needs=(), command=command)
    assert (ran.result.outcome, ran.result.counts) == (Outcome.FAILED, Counts(total=2, passed=1, failed=1))
    [failure] = ran.result.failures
    assert (failure.id, failure.message) == ("a::bad", "1 is not 2")
    assert ran.output == "printed"
    assert run(TEST, needs=(), command=(*command[:-1], "0")).result.outcome is Outcome.FAILED


def test_a_report_that_was_not_written_is_an_error(run: Callable[..., Any]) -> None:
    """Neither code 0 nor another one makes a result of nothing; the command's last words are given."""
    script = "import sys; print('cannot build'); sys.exit(int(sys.argv[1]))"
    ran = run(TEST, needs=(), command=(sys.executable, "-c", script, "3", "{junit}"))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 1)
    assert ran.result.reason == ("it wrote no JUnit report; the command ended with exit code 3: cannot build")
    assert run(TEST, needs=(), command=(sys.executable, "-c", script, "0", "{junit}")).result.exit_code == 2


@pytest.mark.parametrize("code", [0, 7])
def test_an_exit_code_alone_is_one_test(code: int, run: Callable[..., Any]) -> None:
    """The command is the test; what it printed last is what its failure shows."""
    command = (sys.executable, "-c", f"print('one'); print('two'); raise SystemExit({code})")
    ran = run(TEST, needs=(), command=command)
    assert len(ran.started) == 1
    [test] = ran.tests
    if code:
        assert (ran.result.outcome, ran.result.counts) == (Outcome.FAILED, Counts(total=1, failed=1))
        assert (test.message, test.output) == ("exit code 7", "one\ntwo")
    else:
        assert (ran.result.outcome, ran.result.counts) == (Outcome.PASSED, Counts(total=1, passed=1))
        assert test.outcome is TestOutcome.PASSED


def test_a_command_that_is_not_there_or_does_not_end_is_an_error(run: Callable[..., Any]) -> None:
    """The missing program is named; a hang ends at the limit."""
    ran = run(TEST, needs=(), command=("nonesuch-program",))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 2)
    assert "nonesuch-program" in ran.result.reason
    ran = run(TEST, needs=(), command=(sys.executable, "-c", "import time; time.sleep(600)"), timeout=1)
    assert (ran.result.outcome, ran.result.reason) == (Outcome.ERROR, "ended after 1 s, its time limit")


def test_what_a_command_reported_before_it_was_ended_counts(run: Callable[..., Any]) -> None:
    """At its limit, and where the run is cancelled: what failed by then, and what it printed last."""
    command = (
        sys.executable,
        "-c",
        f"{REPORT.partition('sys.exit')[0]}import time; time.sleep(600)",
        "={junit}",
    )
    late = run(TEST, needs=(), command=command, timeout=5)
    assert late.result.outcome is Outcome.ERROR
    assert [failure.message for failure in late.result.failures] == [
        "1 is not 2",
        "ended after 5 s, its time limit",
    ]
    cancel = Cancel()

    def stop(event: Event) -> None:
        if isinstance(event, Output):
            cancel.set("ended by SIGTERM")

    stopped = run({}, needs=(), command=command, cancel=cancel, on_event=stop)
    assert stopped.result.outcome is Outcome.INTERRUPTED
    assert stopped.result.counts.failed == 1
    assert stopped.result.reason.endswith("was running; it last printed: printed")


@pytest.mark.parametrize("last", ["  12 passing (5ms)", "Tests:       1 passed, 1 total", "ok"])
def test_a_command_that_outlives_its_tests_is_told_so(last: str, run: Callable[..., Any]) -> None:
    """Its own summary says that they are done: what it waits for is something else."""
    script = f"print({last!r}, flush=True); import time; time.sleep(600)"
    ran = run(TEST, needs=(), command=(sys.executable, "-c", script), timeout=5)
    assert ran.result.outcome is Outcome.ERROR
    assert ("its tests were done" in ran.result.reason) is (last != "ok")


def test_frames_of_libraries_take_no_room(run: Callable[..., Any]) -> None:
    """Of the last lines, those of the project are what a failure shows; Rust writes a frame in two."""
    frames = [
        "   0: core::panicking::panic",
        "             at /rustc/5980/library/core/src/panicking.rs:80:14",
    ] * 60
    printed = [
        "panicked at src/lib.rs:7:57:",
        *frames,
        "   1: shop::adds",
        "             at ./src/lib.rs:5:25",
    ]
    script = f"print({chr(10).join(printed)!r}); exit(1)"
    ran = run(TEST, needs=(), command=(sys.executable, "-c", script))
    assert ran.result.failures[0].output.splitlines() == [printed[0], *printed[-2:]]


def test_a_command_that_cannot_filter_takes_no_part_in_a_keyword_run(run: Callable[..., Any]) -> None:
    """It is skipped with the reason rather than run in full."""
    ran = run(TEST, needs=(), command=("false",), keyword="orders")
    assert (ran.result.outcome, ran.result.reason) == (Outcome.SKIPPED, "its test command takes no -k")


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_another_test_script_of_npm_runs_by_its_exit_code(run: Callable[..., Any]) -> None:
    """A package.json without vitest: its `test` script."""
    files = {
        "package.json": json.dumps({"scripts": {"test": "node --test tests/unit/"}}),
        "tests/unit/a.test.js": "require('node:test')('works', () => {})\n",
    }
    ran = run(files, needs=())
    assert (ran.result.outcome, ran.result.counts) == (Outcome.PASSED, Counts(total=1, passed=1)), ran.output


def test_the_projects_own_pytest_command_reports_as_pytest(run: Callable[..., Any]) -> None:
    """A command that starts pytest on this machine has counts and progress like any pytest suite."""
    files = {"tests/unit/test_a.py": "def test_a(): pass\ndef test_b(): pass\n"}
    ran = run(files, needs=(), command=(sys.executable, "-m", "pytest", "-q"))
    assert (ran.result.outcome, ran.result.counts) == (Outcome.PASSED, Counts(total=2, passed=2)), ran.output


@pytest.mark.parametrize("head", ["not ok 4 - breaks", "test a::breaks ... FAILED"])
def test_the_failed_test_is_named_however_much_follows(head: str, run: Callable[..., Any]) -> None:
    """A command without a report says it only in its output, where the last lines may not hold it."""
    script = f"print('ok 1 - fine'); print({head!r}); [print('noise', i) for i in range(90)]; exit(1)"
    ran = run({"tests/unit/suite.txt": ""}, needs=(), command=(sys.executable, "-c", script))
    [failure] = ran.result.failures
    shown = failure.output.splitlines()
    assert (shown[0].strip(), shown[1], shown[-1]) == (head.strip(), "noise 40", "noise 89")

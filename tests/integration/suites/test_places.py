"""Where a failure is, and why, when it arises where no test is: imports, threads, plugins' own functions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tasklib.events import Event, TestStarted
from tasklib.process import Cancel
from tasklib.reporting.words.explanation import explain
from tasklib.results import Outcome

FINE = "def test_fine(): pass\n"


def test_an_exit_at_import_names_its_file(run: Callable[..., Any]) -> None:
    """Of a test module as of a conftest: the file and the line that called sys.exit()."""
    ran = run(
        {"tests/unit/test_a.py": FINE, "tests/unit/test_b.py": "import sys\n\nsys.exit('no licence')\n"}
    )
    assert ran.result.outcome is Outcome.ERROR
    assert "tests/unit/test_b.py:3" in ran.result.reason
    assert "no licence" in ran.result.reason
    ran = run({"tests/unit/test_b.py": FINE, "tests/unit/conftest.py": "import sys\nsys.exit(3)\n"})
    assert ran.result.outcome is Outcome.ERROR
    assert "tests/unit/conftest.py:2" in ran.result.reason


def test_modules_of_one_name_are_explained_as_pytest_does(run: Callable[..., Any]) -> None:
    """The hint is part of the message: use a name that is unique."""
    ran = run({"tests/unit/a/test_x.py": FINE, "tests/unit/b/test_x.py": FINE})
    assert ran.result.outcome is Outcome.FAILED
    assert "use a unique basename" in ran.result.failures[0].message


THREAD = """
    import threading

    def work():
        raise ValueError("no such order")

    def test_a():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
"""


def test_an_exception_of_a_thread_comes_with_its_cause(run: Callable[..., Any]) -> None:
    """Warnings as errors: the message names what the thread raised."""
    files = {"pytest.ini": "[pytest]\nfilterwarnings = error\n", "tests/unit/test_a.py": THREAD}
    [failure] = run(files).result.failures
    assert failure.message.endswith("ValueError: no such order")
    warned = run({"pytest.ini": "[pytest]\n"})
    assert warned.result.counts.warnings == 1


FEATURE = """
    Feature: Orders
      Scenario: A total
        Given an order
        Then its total is 3
"""
STEPS = """
    from pytest_bdd import given, scenarios, then

    scenarios("orders.feature")

    @given("an order", target_fixture="order")
    def order():
        return 2

    @then("its total is 3")
    def total(order):
        assert order == 3
"""


def test_a_scenario_fails_in_its_step(run: Callable[..., Any]) -> None:
    """pytest-bdd makes the test in a file of its own package: the user's step is the place."""
    files = {"tests/unit/orders.feature": FEATURE, "tests/unit/test_orders.py": STEPS}
    [failure] = run(files, needs=("pytest>=8,<9", "pytest-bdd")).result.failures
    assert (failure.file, failure.line) == ("tests/unit/test_orders.py", 12)
    assert "E assert 2 == 3" in explain(failure)


def test_where_a_test_stood_when_its_own_limit_ended_the_process(run: Callable[..., Any]) -> None:
    """pytest-timeout's thread method writes the stacks and kills: they are the failure's text."""
    hangs = "import time\n\ndef test_hangs():\n    time.sleep(60)\n"
    options = "[pytest]\ntimeout = 1\ntimeout_method = thread\n"
    ran = run(
        {"pytest.ini": options, "tests/unit/test_a.py": hangs}, needs=("pytest>=8,<9", "pytest-timeout")
    )
    [failure] = ran.result.failures
    assert (failure.file, failure.line) == ("tests/unit/test_a.py", 4), failure.detail
    assert "time.sleep(60)" in failure.detail


def test_a_run_that_is_stopped_has_its_failures_and_the_running_test(run: Callable[..., Any]) -> None:
    """Cancelled at a CI system's limit: what failed before, and what was running."""
    cancel = Cancel()
    files = {"tests/unit/test_a.py": "import time\ndef test_a(): assert 0\ndef test_b(): time.sleep(60)\n"}

    def watch(event: Event) -> None:
        if isinstance(event, TestStarted) and event.id.endswith("test_b"):
            threading.Timer(0.2, cancel.set, ["SIGTERM"]).start()

    ran = run(files, cancel=cancel, on_event=watch)
    assert ran.result.outcome is Outcome.INTERRUPTED
    assert [failure.id for failure in ran.result.failures] == ["tests/unit/test_a.py::test_a"]
    assert ran.result.reason == "SIGTERM: tests/unit/test_a.py::test_b was running"

"""Tests that stop clocks, that repeat themselves, that hang, and processes that do not exit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tasklib.events import Notice, TestFinished, TestStarted
from tasklib.pipeline.runners import supervision
from tasklib.pipeline.suites import planning
from tasklib.results import Counts, Outcome, Stage, TestOutcome

DAY = 86400.0

FROZEN = """
    import pytest

    @pytest.fixture(autouse=True, scope="session")
    def elsewhen():
        {start}

    def test_one(): pass
    def test_two(): assert 1 == 2
    def test_three(): pass
"""
LIBRARIES = {
    "freezegun": "import freezegun\n        with freezegun.freeze_time('2001-01-01'): yield",
    "time-machine": "import time_machine\n        with time_machine.travel('2001-01-01', tick=False): yield",
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_stopped_clock_changes_no_time_of_ours(run: Callable[..., Any], library: str) -> None:
    """Times and durations are the real ones while the session lives in 2001, and `wait_for` still ends."""
    began = time.time()
    files = {"tests/unit/test_a.py": FROZEN.replace("{start}", LIBRARIES[library])}
    ran = run(files, needs=("pytest>=9,<10", library))
    assert ran.result.counts == Counts(total=3, passed=2, failed=1)
    for event in ran.events:
        if isinstance(event, TestStarted | TestFinished):
            assert began <= event.at <= time.time()
    assert all(0 < test.seconds < DAY for test in ran.tests)


RETRIED = """
    import pytest

    attempts = []

    @pytest.mark.flaky(retries=2)
    def test_second_time():
        attempts.append(1)
        assert len(attempts) == 2

    @pytest.mark.flaky(retries=1)
    def test_never(): assert 0
"""
OWN = """
    import pytest

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(item, call):
        report = yield
        if call.when == "call" and report.outcome == "failed":
            report.outcome = "known issue"
        return report
"""


def test_an_attempt_that_another_one_replaced_is_no_failure(run: Callable[..., Any]) -> None:
    """pytest-retry: what passes at the second attempt has passed, what never does has failed once."""
    ran = run({"tests/unit/test_a.py": RETRIED}, needs=("pytest>=8,<9", "pytest-retry"))
    assert ran.result.counts == Counts(total=2, passed=1, failed=1, rerun=2), ran.output
    [failure] = ran.result.failures
    assert failure.id.endswith("::test_never")


def test_an_outcome_of_a_plugins_own_fails_nothing(run: Callable[..., Any]) -> None:
    """Only pytest's own `failed` fails: what a plugin calls otherwise is shown as not passed."""
    ran = run({"tests/unit/conftest.py": OWN, "tests/unit/test_a.py": "def test_a(): assert 0\n"})
    assert ran.result.outcome is Outcome.ERROR or not ran.result.failures
    assert ran.outcomes == {"tests/unit/test_a.py::test_a": TestOutcome.SKIPPED}


LINGERING = """
    import threading
    import time

    def work():
        time.sleep(600)

    def test_a():
        threading.Thread(target=work).start()
"""


def test_a_process_that_does_not_exit_is_ended_and_its_tests_count(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result of its tests stands, and a line says which thread kept it."""
    monkeypatch.setattr(supervision, "SOON", 0.1)
    monkeypatch.setattr(supervision, "LINGER", 0.5)
    ran = run({"tests/unit/test_a.py": LINGERING})
    assert ran.result.outcome is Outcome.PASSED, ran.result.reason
    [notice] = [event for event in ran.events if isinstance(event, Notice)]
    assert "did not exit" in notice.text
    assert "tests/unit/test_a.py:6" in notice.text


def test_silence_without_a_time_limit_ends_it(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody set a limit and nothing is heard: the running test is named, with where it stands."""
    monkeypatch.setattr(planning, "SILENCE", 3.0)
    hangs = "def test_a(): pass\ndef test_hangs():\n    import time\n    time.sleep(600)\n"
    ran = run({"tests/unit/test_a.py": hangs}, timeout=None)
    assert ran.result.outcome is Outcome.ERROR
    assert "3 s of silence: tests/unit/test_a.py::test_hangs was running" in ran.result.reason
    [failure] = ran.result.failures
    assert failure.line == 4
    command = run({}, timeout=None, command=("sh", "-c", "echo step one; exec sleep 600"))
    assert "3 s of silence" in command.result.reason
    assert "step one" in command.result.failures[0].output


def test_what_addopts_deselect_is_explained(run: Callable[..., Any]) -> None:
    """`-m` in the settings leaves nothing of the stage: the expression is named, and what to do."""
    files = {
        "pytest.ini": "[pytest]\naddopts = -m 'not integration'\nmarkers = integration\n",
        "tests/integration/test_a.py": "import pytest\n@pytest.mark.integration\ndef test_a(): pass\n",
    }
    ran = run(files, stage=Stage.SERVICE)
    assert ran.result.exit_code == 2
    assert "by -m 'not integration'" in ran.result.reason
    assert run({}, "-m", "", stage=Stage.SERVICE).result.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--collect-only", "take it out of addopts"),
        ("--trace", "--trace of its settings needs somebody at a terminal"),
        ("--deselect tests/unit/test_a.py", "--deselect in pytest's settings leaves out all in tests/unit"),
    ],
)
def test_settings_that_run_nothing_pass_nothing(option: str, said: str, run: Callable[..., Any]) -> None:
    """Neither what only looks, nor a debugger that nobody talks to, which has every test pass."""
    files = {
        "pytest.ini": f"[pytest]\naddopts = {option}\n",
        "tests/unit/test_a.py": "def test_a(): assert 0\n",
    }
    ran = run(files)
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 2)
    assert said in ran.result.reason


def test_a_line_of_forty_megabytes_takes_no_longer_than_it_has_to(run: Callable[..., Any]) -> None:
    """It is read in parts, handed on without its middle, and nothing else is lost."""
    code = "import sys; sys.stdout.write('x' * 40_000_000 + '\\n' + 'after\\n')"
    ran = run({"tests/unit/test_a.py": ""}, needs=(), command=("python3", "-c", code))
    long, after = ran.output.splitlines()
    assert "39900000 characters left out" in long
    assert after == "after"

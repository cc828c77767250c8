"""Tests that get ready before what they are run against is there."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.events import Event, Output
from tasklib.pipeline.runners.pytest import INJECT
from tasklib.pipeline.suites.planning import plan_suite
from tasklib.pipeline.suites.suite import Suite, SuiteKind, SuiteOptions
from tasklib.pipeline.target_tests import TargetTests
from tasklib.process import Cancel
from tasklib.project import Project, Service, StageTests
from tasklib.results import Outcome, Stage, Target

from ..traces import until
from .conftest import CURRENT, write

ANNOUNCES = """
    import os, pathlib, sys

    def hook(event, arguments):
        if event == "fcntl.flock":
            pathlib.Path(os.environ["WAITING"]).write_text(str(os.getpid()))

    sys.addaudithook(hook)
"""
"""A sitecustomize.py by which a process tells that it is about to wait."""

CHECKS = """
    import os, pytest
    URL = os.environ["TEST_API_URL"]
"""
"""What any module of a project may do when it is imported."""

FILES = {
    "tests/integration/conftest.py": CHECKS,
    "tests/integration/test_a.py": f"{CHECKS}\n    def test_url(): assert URL == 'http://127.0.0.1:1'\n",
}
PLUGINS = {
    **FILES,
    "ours.py": CHECKS,
    "setup.py": """
        from setuptools import setup
        setup(name="ours", version="1", py_modules=["ours"], entry_points={"pytest11": ["ours = ours"]})
    """,
}
URL = {"TEST_API_URL": "http://127.0.0.1:1"}


@dataclass
class Started:
    """The service's tests against its stack, and what they say."""

    tests: TargetTests
    waiting: Path
    events: list[Event]

    def get_ready(self) -> int:
        """The process, once it waits."""
        self.tests.get_ready()
        assert until(lambda: self.waiting.exists() and self.waiting.read_text() != ""), self.events
        return int(self.waiting.read_text())


Start = Callable[..., Started]


@pytest.fixture
def start(folder: Path, tmp_path: Path) -> Iterator[Start]:
    """``start(files, ...)`` writes files into the service's folder and plans its tests; nothing runs yet."""
    opened: list[TargetTests] = []

    def work(
        files: Mapping[str, str] = FILES,
        *,
        needs: str = CURRENT,
        timeout: float | None = 60,
        env: Mapping[str, str] | None = None,
        cancel: Cancel | None = None,
    ) -> Started:
        write(folder, {**files, "requirements.txt": needs})
        write(tmp_path / "site", {"sitecustomize.py": ANNOUNCES})
        service = Service(
            "service", folder, tests=StageTests((folder / "tests" / "integration",), env=dict(env or {}))
        )
        project = Project(root=folder.parent, name="project", services=(service,))
        waiting, events = tmp_path / "waiting", list[Event]()
        given = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TEST_"))
        }
        path = os.pathsep.join((str(tmp_path / "site"), str(folder)))
        options = SuiteOptions(timeout=timeout)
        tests = TargetTests(
            lambda: plan_suite(project, Target(Stage.SERVICE, "service"), options),
            {**given, "PYTHONPATH": path, "WAITING": str(waiting)},
            events.append,
            cancel or Cancel(),
        )
        opened.append(tests)
        return Started(tests, waiting, events)

    yield work
    for tests in opened:
        tests.close()


@pytest.mark.parametrize("release", ["pytest==6.2.5", CURRENT])
def test_nothing_of_the_project_is_loaded_before_its_stack_is_there(start: Start, release: str) -> None:
    """The plugin that it installs, conftest files and tests find the endpoints when they are imported."""
    started = start(PLUGINS, needs=release)
    started.get_ready()
    result = started.tests.run(URL)
    assert (result.outcome, result.counts.passed) == (Outcome.PASSED, 1), started.events


def test_a_project_whose_settings_name_plugins_is_not_started_early(start: Start) -> None:
    """pytest loads them before anything can make it wait."""
    started = start({**FILES, "early.py": CHECKS, "pytest.ini": "[pytest]\naddopts = -p early\n"})
    started.tests.get_ready()
    assert started.tests.run(URL).outcome is Outcome.PASSED, started.events
    assert not started.waiting.exists()


TELLS = """
    import os, sys

    def test_tells():
        left = [name for name in os.environ if name.startswith("TASKLIB")]
        print("told:", sys.argv, sys.path, sys.modules["__main__"].__file__, os.environ["PYTHONPATH"], left)
        assert False
"""


@pytest.mark.parametrize("env", [{}, {"PYTHONSAFEPATH": "1"}, {"PYTHONWARNINGS": "error"}])
def test_tests_cannot_tell_whether_they_were_started_early(start: Start, env: Mapping[str, str]) -> None:
    """Arguments, paths and what is written are the same, with the settings of Python that users choose."""
    told = []
    for early in (True, False):
        started = start({"tests/integration/test_a.py": TELLS}, env=env)
        if early:
            started.get_ready()
        result = started.tests.run(URL)
        lines = [event.line for event in started.events if isinstance(event, Output)]
        assert result.counts.failed == 1, lines
        told.append([re.sub(r"[0-9.]+s\b|\.tmp\w+", "…", line) for line in lines])
    assert told[0] == told[1]


def test_what_it_is_handed_is_gone_once_it_is_read(start: Start) -> None:
    """Endpoints may hold passwords: they are for this user alone, and not for as long as the tests run."""
    started = start()
    started.get_ready()
    assert started.tests._waiting
    file = started.tests._waiting.gate.path
    assert file.read_text() == ""
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert started.tests.run(URL).outcome is Outcome.PASSED
    assert file.parent.exists()
    assert not file.exists()


def test_it_runs_as_well_without_a_head_start(start: Start) -> None:
    """Getting ready is an offer."""
    started = start()
    assert started.tests.run(URL).outcome is Outcome.PASSED, started.events
    assert not started.waiting.exists()


def test_a_process_that_waits_in_vain_is_ended(start: Start) -> None:
    """Where the stack does not come up, nobody is left waiting for it, and nothing more starts."""
    started = start()
    pid = started.get_ready()
    started.tests.close()
    assert not _lives(pid)
    started.waiting.unlink()
    started.tests.get_ready()
    assert not started.waiting.exists()


def test_nothing_is_started_for_tests_that_have_run(start: Start) -> None:
    """An early start that comes late is none."""
    started = start()
    assert started.tests.run(URL).outcome is Outcome.PASSED
    started.tests.get_ready()
    started.tests.close()
    assert not started.waiting.exists()


def test_an_environment_that_is_being_made_is_made(tmp_path: Path) -> None:
    """Who needs no tests any more does not leave half of it behind."""
    argv = ("sh", "-c", 'sleep 0.5; test ! -s "$TASKLIB_GATE" && touch made')
    target = Target(Stage.SERVICE, "service")
    suite = Suite(target, SuiteKind.PYTEST, argv, tmp_path, tmp_path, waits=True)
    tests = TargetTests(lambda: suite, os.environ, lambda event: None, Cancel())
    tests.get_ready()
    tests.close()
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("broken", ["flock", "write_text"])
def test_where_none_can_wait_the_tests_run_all_the_same(
    start: Start, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """A file system without locks, and (mocked) a disk that fills up while the stack comes up."""

    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "cannot")

    started = start()
    if broken == "flock":
        # Of the gate alone: other locks of this process go on.
        monkeypatch.setattr("tasklib.pipeline.runners.gate.wait_for_lock", fails)
        started.tests.get_ready()
    else:
        started.get_ready()
        monkeypatch.setattr("pathlib.Path.write_text", fails)
    assert started.tests.run(URL).outcome is Outcome.PASSED, started.events


def test_an_interrupt_ends_what_waits(start: Start) -> None:
    """It is the outcome of its tests if they are run all the same."""
    cancel = Cancel()
    started = start(cancel=cancel)
    pid = started.get_ready()
    cancel.set("Ctrl-C")
    assert until(lambda: not _lives(pid))
    assert started.tests.run(URL).outcome is Outcome.INTERRUPTED


def test_the_time_limit_is_for_the_tests(start: Start) -> None:
    """However long the stack takes, its tests have their whole time."""
    slow = "import time\ntime.sleep(600)\n"
    started = start({**FILES, "tests/integration/test_a.py": slow}, timeout=0.5)
    pid = started.get_ready()
    assert not until(lambda: not _lives(pid), 1.0)
    result = started.tests.run(URL)
    assert result.outcome is Outcome.ERROR
    assert result.reason.startswith("ended after 0.5 s, its time limit")


def test_a_services_own_variables_win_over_endpoints(start: Start) -> None:
    """What `services.<name>.env` says holds, with a head start or without."""
    started = start(env={"TEST_API_URL": "http://127.0.0.1:1"})
    started.get_ready()
    assert started.tests.run({"TEST_API_URL": "http://127.0.0.1:2"}).outcome is Outcome.PASSED


def test_an_environment_that_cannot_be_made_is_told_when_the_tests_are_run(start: Start) -> None:
    """The early start is silent; its outcome is that of the tests."""
    started = start(needs="pytest\nnot-a-package @ file:///nonexistent")
    started.tests.get_ready()
    result = started.tests.run(URL)
    assert (result.outcome, result.counts.total) == (Outcome.ERROR, 0)
    assert "nonexistent" in result.reason


def test_tests_that_cannot_be_planned_are_told_when_they_are_run(start: Start) -> None:
    """Nothing is there to be started."""
    started = start({"tests/integration/test_a.py": "", "tests/integration/a.test.ts": ""})
    started.tests.get_ready()
    with pytest.raises(ConfigError, match="both Python and JavaScript"):
        started.tests.run(URL)


HOLDS = """
import pathlib, sys
from tasklib.pipeline.runners.gate import Gate
gate = Gate(pathlib.Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def test_nobody_waits_for_the_dead(tmp_path: Path) -> None:
    """If tasklib is killed, the process that waits for it ends by itself, and runs nothing."""
    (tmp_path / "test_a.py").write_text("open('ran', 'w')\n")
    argv = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"locked\n"
        waits = [sys.executable, "-m", "pytest", "-p", "tasklib_in_pytest.plugin", "test_a.py"]
        env = {**os.environ, "PYTHONPATH": str(INJECT), "TASKLIB_GATE": str(tmp_path / "gate")}
        with subprocess.Popen(waits, cwd=tmp_path, env=env) as waiting:
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(1.5)
            os.kill(holder.pid, signal.SIGKILL)
            assert waiting.wait(60) == 1
    assert not (tmp_path / "ran").exists()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

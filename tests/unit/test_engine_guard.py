"""Unit tests touch no engine, and one that does is told by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import conftest

TOUCHING = """
import contextlib, socket, subprocess

def test_of_a_connection():
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.connect("/var/run/docker.sock")

def test_of_a_command():
    subprocess.run(["docker", "version"])

def test_that_takes_it_for_another_failure():
    try:
        subprocess.Popen(["docker", "compose", "up"])
    except BaseException:
        pass

def test_of_a_stand_in(tmp_path, monkeypatch):
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    subprocess.run(["docker", "version"], check=True)

def test_of_nothing():
    pass
"""


class Heard:
    """What a pytest of its own found: each phase that failed, with its words."""

    def __init__(self) -> None:
        self.failed: dict[tuple[str, str], str] = {}
        self.passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("::")[2]
        if report.failed:
            self.failed[name, str(report.when)] = report.longreprtext
        elif report.when == "call":
            self.passed.add(name)


def test_a_unit_test_that_touches_an_engine_fails_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By socket or by program, also where the test swallows the failure; a stand-in of its own is fine."""
    (tmp_path / "test_touching.py").write_text(TOUCHING)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    heard = Heard()
    without = [f"-pno:{name}" for name in ("cacheprovider", "faulthandler", "logging", "terminal")]
    options = ["--assert=plain", "--import-mode=importlib", f"--basetemp={tmp_path / 'temp'}"]
    # Within this process: the guard is a hook of the interpreter, which is the same for whoever asks.
    code = pytest.main([*without, *options, str(tmp_path)], plugins=[conftest, heard])
    assert code == pytest.ExitCode.TESTS_FAILED
    touching = ("test_of_a_connection", "test_of_a_command", "test_that_takes_it_for_another_failure")
    for name in touching:
        assert f"test_touching.py::{name} touched an engine: " in heard.failed.pop((name, "teardown"))
    assert set(heard.failed) == {(name, "call") for name in touching[:2]}
    assert heard.passed == {"test_of_a_stand_in", "test_of_nothing", touching[2]}

"""Unit tests touch no engine, and one that does is told by name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

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


def test_a_unit_test_that_touches_an_engine_fails_by_name(tmp_path: Path) -> None:
    """By socket or by program, also where the test swallows the failure; a stand-in of its own is fine."""
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_touching.py").write_text(TOUCHING)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfE", "test_touching.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout
    for name in ("test_of_a_connection", "test_of_a_command", "test_that_takes_it_for_another_failure"):
        assert f"test_touching.py::{name} touched an engine: " in ran.stdout
    assert "2 failed, 3 passed, 3 errors" in ran.stdout

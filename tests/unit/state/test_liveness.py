"""Whether a process lives. Unknown is alive, recycled is dead."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tasklib import process
from tasklib.errors import TasklibError
from tasklib.state import liveness
from tasklib.state.liveness import current, host_id, identify, is_alive
from tasklib.state.store import State


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        yield running
        running.kill()


def test_this_process() -> None:
    """This process lives."""
    assert current().pid == os.getpid()
    assert is_alive(current()) is True
    assert current() == current()


def test_a_child(child: subprocess.Popen[bytes]) -> None:
    """Another process lives until it ends, and is dead while nobody has asked for its exit code."""
    identity = identify(child.pid)
    assert identity is not None
    assert is_alive(identity) is True
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended and is a zombie now
    assert is_alive(identity) is False
    child.wait()
    assert is_alive(identity) is False
    assert identify(child.pid) is None


def test_recycled_pid() -> None:
    """Another process with the pid of an ended one does not bring it to life."""
    assert is_alive(replace(current(), start_time="1")) is False


@pytest.mark.parametrize("namespace", [{}, {"pid_namespace": "another"}])
def test_other_boot(namespace: dict[str, Any]) -> None:
    """What ran before the machine was started again is dead, in whatever container it ran."""
    assert is_alive(replace(current(), boot_id="another", **namespace)) is False


@pytest.mark.parametrize(
    "elsewhere", [{"host": "another", "boot_id": "another"}, {"pid_namespace": "another"}]
)
def test_elsewhere(elsewhere: dict[str, Any]) -> None:
    """What runs on another host or in another container cannot be known, whatever else differs."""
    assert is_alive(replace(current(), **elsewhere, start_time="1")) is None


@pytest.mark.parametrize("pid", [0, -1, 2**40])
def test_impossible_pid(pid: int) -> None:
    """A pid that no process can have names none that could be hurt or waited for."""
    assert is_alive(replace(current(), pid=pid)) is not True


def test_hidden_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that exists but cannot be looked at counts as alive."""

    def hidden(self: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", hidden)
    assert is_alive(current_like()) is None


def current_like() -> liveness.ProcessIdentity:
    return liveness.ProcessIdentity(
        os.getpid(), "1", liveness.boot_id(), str(Path("/proc/self/ns/pid").readlink()), host_id()
    )


def test_command_with_parentheses(tmp_path: Path) -> None:
    """The name of the program cannot be mistaken for the fields behind it."""
    program = tmp_path / "a) S 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as running:
        identity = identify(running.pid)
        assert identity is not None
        assert int(identity.start_time) >= int(current().start_time)
        running.kill()


def test_by_ps(monkeypatch: pytest.MonkeyPatch, child: subprocess.Popen[bytes]) -> None:
    """Without /proc the answers come from ps."""

    def run(argv: list[str], **_: object) -> process.Completed:
        alive = child.poll() is None
        return process.Completed(tuple(argv), 0, "Ss   Sat Nov 22 15:00:00 2025\n" if alive else "", "")

    monkeypatch.setattr(Path, "exists", lambda self: False)
    monkeypatch.setattr(process, "run", run)
    identity = identify(child.pid)
    assert identity is not None
    assert identity.start_time == "Sat Nov 22 15:00:00 2025"
    assert is_alive(identity) is True
    child.kill()
    child.wait()
    assert is_alive(identity) is False


def test_without_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /proc and ps a process that can be signalled may be any: unknown."""

    def missing(argv: list[str], **_: object) -> process.Completed:
        raise TasklibError("no ps")

    identity = current()
    monkeypatch.setattr(Path, "exists", lambda self: False)
    monkeypatch.setattr(process, "run", missing)
    assert is_alive(identity) is None


def test_host_id_from_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's id gives the host's, and cannot be read off it."""
    machine = "0123456789abcdef0123456789abcdef"
    (tmp_path / "machine-id").write_text(f"{machine}\n")
    monkeypatch.setattr(liveness, "_MACHINE_IDS", (tmp_path / "gone", tmp_path / "machine-id"))
    found = host_id(State(tmp_path / "state"))
    assert len(found) == 16
    assert found not in machine
    assert not (tmp_path / "state").exists()


def test_host_id_without_machine_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without an id gets a random one that stays; another host name has another."""
    (tmp_path / "machine-id").write_text("\n")
    monkeypatch.setattr(liveness, "_MACHINE_IDS", (tmp_path / "machine-id",))
    monkeypatch.setattr("platform.node", lambda: "one")
    first = host_id(State(tmp_path / "state"))
    liveness._host_id.cache_clear()
    assert host_id(State(tmp_path / "state")) == first
    liveness._host_id.cache_clear()
    monkeypatch.setattr("platform.node", lambda: "two")
    assert host_id(State(tmp_path / "state")) != first
    liveness._host_id.cache_clear()

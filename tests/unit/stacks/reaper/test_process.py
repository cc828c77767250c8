"""What a reaper learns on its socket, and which processes it ends; no engine is touched."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasklib import process
from tasklib.process.interrupts import BACKGROUND
from tasklib.stacks.reaper import process as reaping
from tasklib.stacks.reaper.client import Reaper
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import State


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The run's end of the socket and the reaper's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def say(channel: socket.socket, *messages: dict[str, object]) -> None:
    channel.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in messages))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group of its own."""
    child = subprocess.Popen(["sleep", "600"], process_group=0)
    yield child
    child.kill()
    child.wait()


def ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether we ended it: a signal that is sent later comes second."""
    child.send_signal(signal.SIGTERM)
    return child.wait(10) == -signal.SIGKILL


def await_end(reaper: Reaper) -> None:
    deadline = time.monotonic() + 30
    while (running := Path(f"/proc/{reaper.pid}").exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running


def test_what_was_not_taken_back_is_left(ends: tuple[socket.socket, socket.socket]) -> None:
    """At the end of the socket the stacks and processes that still count are known."""
    ours, theirs = ends
    say(
        ours,
        {"run": "r", "engine": "e", "state": "/s", "command": "tasklib test", "pid": 7},
        {"stack": "test-a", "labels": {"x": "1"}, "lock": "/l"},
        {"stack": "test-b", "labels": {"x": "2"}, "lock": "/m"},
        {"ready": "test-a"},
        {"child": 1},
        {"child": 2},
        {"gone": "test-b"},
        {"gone": "never there"},
        {"ended": 2},
        {"folder": "/tmp/a"},
        {"folder": "/tmp/b"},
        {"removed": "/tmp/a"},
    )
    ours.close()
    left = reaping.read(theirs)
    assert (left.run, left.engine, left.state, left.command, left.pid) == ("r", "e", "/s", "tasklib test", 7)
    assert {project: (stack.labels, stack.ready) for project, stack in left.stacks.items()} == {
        "test-a": ({"x": "1"}, True)
    }
    assert set(left.children) == {1}
    assert left.folders == {"/tmp/b"}
    assert not left.alive


def test_a_line_may_come_in_pieces(ends: tuple[socket.socket, socket.socket]) -> None:
    """A message is what stands before a line feed, however it arrives; half a message is none."""
    ours, theirs = ends
    line = json.dumps({"child": 5}).encode() + b"\n"
    for byte in line:
        ours.send(bytes([byte]))
    ours.send(b'{"child": 6')
    ours.close()
    assert set(reaping.read(theirs).children) == {5}


def test_the_runs_own_word_ends_it_with_the_socket_open(ends: tuple[socket.socket, socket.socket]) -> None:
    """Someone may have inherited the run's end; what was not taken back is left all the same."""
    ours, theirs = ends
    say(ours, {"stack": "test-a", "labels": {}, "lock": "/l"}, {"ends": True})
    left = reaping.read(theirs)
    assert left.alive
    assert set(left.stacks) == {"test-a"}


def test_a_run_that_ends_with_something_left_keeps_its_children(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    """Its process may go on with another run: only what it left on the engine is removed."""
    reaper = Reaper(tmp_path / "log")
    process.CHILDREN.add(sleeper.pid)
    try:
        reaper.close()
        await_end(reaper)
        assert not ended(sleeper)
    finally:
        process.CHILDREN.discard(sleeper.pid)


def test_each_stack_gets_its_own_lock(ends: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    """Lock files arrive with the lines they belong to, in any mixture with others."""
    ours, theirs = ends
    names = [f"test-{number}" for number in range(5)]
    for name in names:
        with (tmp_path / name).open("w") as file:
            line = json.dumps({"stack": name, "labels": {}, "lock": str(tmp_path / name)}).encode() + b"\n"
            socket.send_fds(ours, [line], [file.fileno()])
        say(ours, {"child": 1})
    ours.close()
    left = reaping.read(theirs)
    for name in names:
        lock = left.stacks[name].lock
        assert lock is not None
        assert os.path.samestat(os.fstat(lock), (tmp_path / name).stat())
        os.close(lock)


def test_a_group_is_killed(sleeper: subprocess.Popen[bytes]) -> None:
    """A process that was started and not ended when the run died goes."""
    reaping._kill(sleeper.pid, reaping._start_time(sleeper.pid))
    assert ended(sleeper)


def test_a_recycled_pid_kills_nothing(sleeper: subprocess.Popen[bytes]) -> None:
    """Another process has the number by now, as its start time shows."""
    reaping._kill(sleeper.pid, "1")
    assert not ended(sleeper)


def test_a_dead_run_leaves_its_lock_to_the_reaper(tmp_path: Path) -> None:
    """The lock outlives the process that took it, until its reaper ends; then it is free."""
    run = f"""
import os, signal, time
from pathlib import Path
from tasklib.process import Cancel
from tasklib.state.stack_lock import StackLock
from tasklib.stacks.reaper.client import Reaper
from tasklib.state.store import State

lock = StackLock(State(Path({str(tmp_path)!r})), "engine", "test-main")
assert lock.try_acquire()
reaper = Reaper(Path({str(tmp_path)!r}) / "log")
reaper.watch("test-main", {{}}, lock)
print(reaper.pid, flush=True)
time.sleep(600)
"""
    child = subprocess.Popen([sys.executable, "-c", run], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    reaper = int(child.stdout.readline())
    os.kill(reaper, signal.SIGSTOP)
    child.kill()
    child.wait()
    child.stdout.close()
    lock = StackLock(State(tmp_path), "engine", "test-main")
    assert not lock.try_acquire(0.3)
    os.kill(reaper, signal.SIGKILL)
    assert lock.try_acquire(5)
    lock.release()


def test_a_reaper_that_is_told_nothing_ends_with_its_run(tmp_path: Path) -> None:
    """Closing it leaves no process and nothing to remove; children are told of in between."""
    reaper = Reaper(tmp_path / "log")
    process.run(["true"])
    assert [names() for names in BACKGROUND] == [()]
    reaper.close()
    await_end(reaper)
    assert (tmp_path / "log").read_text() == ""


def test_a_reaper_that_died_disturbs_nobody(tmp_path: Path) -> None:
    """Whoever kills it loses its service, not the run."""
    reaper = Reaper(tmp_path / "log")
    os.kill(reaper.pid, signal.SIGKILL)
    lock = StackLock(State(tmp_path), "engine", "test-main")
    assert lock.try_acquire()
    reaper.watch("test-main", {}, lock)
    process.run(["true"])
    assert [names() for names in BACKGROUND] == [("test-main",)]
    reaper.spare("test-main")
    reaper.close()
    lock.release()


def test_the_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    """A long log moves aside; one older file is all there ever is."""
    log = tmp_path / "log"
    log.write_text("x" * 300_000)
    Reaper(log).close()
    assert log.stat().st_size < 1000
    assert (tmp_path / "log.1").stat().st_size == 300_000


def test_a_lock_that_is_handed_over_is_not_released(tmp_path: Path) -> None:
    """Closing our end of a file that someone else has keeps the lock; releasing frees it for all."""
    state = State(tmp_path)
    lock, other = StackLock(state, "e", "p"), StackLock(state, "e", "p")
    assert lock.try_acquire()
    copy = os.dup(lock.fileno())
    lock.hand_over()
    assert not other.try_acquire()
    fcntl.flock(copy, fcntl.LOCK_UN)
    assert other.try_acquire()
    copy_of_other = os.dup(other.fileno())
    other.release()
    assert lock.try_acquire()
    lock.release()
    os.close(copy)
    os.close(copy_of_other)

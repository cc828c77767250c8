"""One stack, one user at a time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tasklib.errors import ConfigError, Interrupted
from tasklib.files.lock import User
from tasklib.process import Cancel
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import State

USER = User("r1", "tasklib test", 42, "/projects/shop")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


def test_who_waits_is_told_for_whom_and_gets_it(state: State) -> None:
    """The holder's own words are read from the lock."""
    first, second = StackLock(state, "e", "test-main", USER), StackLock(state, "e", "test-main")
    first.acquire(Cancel())
    told: list[User] = []

    def on_wait(user: User) -> None:
        told.append(user)
        threading.Timer(0.1, first.release).start()

    second.acquire(Cancel(), on_wait)
    assert told == [USER]
    assert str(USER) == "`tasklib test` (pid 42) in /projects/shop"
    second.release()


def test_a_free_lock_is_had_without_a_word(state: State) -> None:
    """Nobody is told of waiting who need not wait; other stacks and engines are other locks."""
    locks = [StackLock(state, e, p) for e in ("e", "f") for p in ("test-main", "test-main_api")]
    for lock in locks:
        lock.acquire(Cancel(), lambda user: pytest.fail(str(user)))
    for lock in locks:
        lock.release()
        lock.release()
    assert not list((state.root / "locks").iterdir()), "no file stays for a stack that is gone"


def test_waiting_ends_with_a_cancellation(state: State) -> None:
    """Whoever is asked to stop does not wait on."""
    first, second = StackLock(state, "e", "p"), StackLock(state, "e", "p")
    assert first.try_acquire()
    cancel = Cancel()
    with pytest.raises(Interrupted):
        second.acquire(cancel, lambda user: cancel.set())
    first.release()


def test_many_take_turns(state: State) -> None:
    """However the file comes and goes, two never hold it at once."""
    inside, most, turns = 0, 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most, turns
        for _ in range(20):
            lock = StackLock(state, "e", "p")
            lock.acquire(Cancel())
            with guard:
                inside, turns = inside + 1, turns + 1
                most = max(most, inside)
            time.sleep(0.001)
            with guard:
                inside -= 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, turns) == (1, 120)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """What cannot be locked is refused, not used without a lock."""
    (tmp_path / "locks").write_text("a file")
    with pytest.raises(ConfigError, match="lock cannot be taken"):
        StackLock(State(tmp_path), "e", "p").try_acquire()


def test_a_file_in_its_place_tells_nothing(state: State) -> None:
    """A lock file that cannot be read names nobody."""
    lock = StackLock(state, "e", "p")
    assert str(lock.holder()) == "another process"
    lock.path.parent.mkdir()
    lock.path.write_text("[]")
    assert str(lock.holder()) == "another process"
    assert lock.try_acquire()
    lock.release()

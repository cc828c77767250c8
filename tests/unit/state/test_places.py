"""Places: never more at once than there are, in the order of the runs, freed whatever happens to a holder."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasklib.errors import ConfigError, Interrupted
from tasklib.flock import open_lock, try_lock
from tasklib.process import Cancel
from tasklib.state.places import Busy, Places, Turn

HOLD = """
import os, sys, time
from pathlib import Path
from tasklib.process import Cancel
from tasklib.state.places import Places, Turn
places = Places(Path(sys.argv[1]), int(sys.argv[2]), Turn(1.0, "other", "tasklib test", os.getpid()))
with places.place(Cancel()):
    print("held", flush=True)
    time.sleep(600)
"""


def places(folder: Path, number: int, began: float = 2.0) -> Places:
    return Places(folder, number, Turn(began, f"run-{began}", "tasklib test", os.getpid()))


@contextmanager
def another_holds(folder: Path, number: int) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), str(number)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child:
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def take(mine: Places, seconds: float = 10.0) -> bool:
    """Whether a place could be had within ``seconds``."""
    cancel = Cancel()
    timer = threading.Timer(seconds, cancel.set, ("late",))
    timer.start()
    try:
        with mine.place(cancel):
            return True
    except Interrupted:
        return False
    finally:
        timer.cancel()


def test_never_more_at_once_than_there_are(tmp_path: Path) -> None:
    """Twelve threads of three runs share two places, and all of them come to their turn."""
    inside, most, done, guard = 0, 0, 0, threading.Lock()

    def work(mine: Places) -> None:
        nonlocal inside, most, done
        with mine.place(Cancel()):
            with guard:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with guard:
                inside -= 1
                done += 1

    runs = [places(tmp_path, 2, began) for began in (1.0, 2.0, 3.0)]
    threads = [threading.Thread(target=work, args=(runs[n % 3],)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # Whether two ever meet inside is chance; that there is room for two is shown below.
    assert most <= 2
    assert done == 12


def test_several_places_are_had_together_or_not_at_all(tmp_path: Path) -> None:
    """Who waits for all of them holds none meanwhile; who comes later waits behind, whatever it needs."""
    first, large, small = places(tmp_path, 3, 1.0), places(tmp_path, 3, 2.0), places(tmp_path, 3, 3.0)
    order: list[str] = []

    def work(mine: Places, name: str, number: int, waits: threading.Event) -> None:
        with mine.place(Cancel(), lambda busy: waits.set(), number):
            order.append(name)

    with first.place(Cancel()):
        threads = []
        for mine, name, number in ((large, "large", 9), (small, "small", 1)):
            waits = threading.Event()
            threads.append(threading.Thread(target=work, args=(mine, name, number, waits)))
            threads[-1].start()
            assert waits.wait(30)
        assert take(places(tmp_path, 3, 0.5))
        assert order == []
    for thread in threads:
        thread.join(30)
    assert order == ["large", "small"]


def test_the_run_that_began_first_is_served_first(tmp_path: Path) -> None:
    """Whoever asks later but began earlier goes before a run that waits already."""
    order: list[float] = []
    waits = {began: threading.Event() for began in (1.0, 9.0)}

    def work(began: float) -> None:
        with places(tmp_path, 1, began).place(Cancel(), lambda busy: waits[began].set()):
            order.append(began)

    with places(tmp_path, 1).place(Cancel()):
        threads = []
        for began in (9.0, 1.0):
            threads.append(threading.Thread(target=work, args=(began,)))
            threads[-1].start()
            assert waits[began].wait(10)
    for thread in threads:
        thread.join(10)
    assert order == [1.0, 9.0]


def test_who_waits_is_told_for_whom(tmp_path: Path) -> None:
    """The command, its process and since when it runs, once."""
    told: list[Busy] = []
    cancel = Cancel()
    with another_holds(tmp_path, 1) as child:

        def tell(busy: Busy) -> None:
            told.append(busy)
            cancel.set("seen")

        with pytest.raises(Interrupted), places(tmp_path, 1).place(cancel, tell):
            pass
    (busy,) = told
    assert f"`tasklib test` (pid {child.pid})" in str(busy)
    assert busy.ahead == 0


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_holder_that_dies_frees_its_place(tmp_path: Path, ending: signal.Signals) -> None:
    """The kernel does it."""
    with another_holds(tmp_path, 1) as child:
        assert not take(places(tmp_path, 1), 0.2)
        child.send_signal(ending)
        assert take(places(tmp_path, 1))


def test_a_holder_that_is_stopped_holds_nobody_up(tmp_path: Path) -> None:
    """Its place is its own; another one is there instead, and gone again once it goes on."""
    with another_holds(tmp_path, 1) as child:
        child.send_signal(signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)
        assert take(places(tmp_path, 1))
        child.send_signal(signal.SIGCONT)
        os.waitpid(child.pid, os.WCONTINUED)
        assert not take(places(tmp_path, 1), 0.2)


def at_leisure(mine: Places, seconds: float = 10.0) -> bool:
    """Whether there was time for what nobody waits for within ``seconds``."""
    cancel = Cancel()
    timer = threading.Timer(seconds, cancel.set, ("late",))
    timer.start()
    try:
        mine.leisure(cancel)
    except Interrupted:
        return False
    finally:
        timer.cancel()
    return True


def test_what_nobody_waits_for_begins_once_earlier_runs_leave_a_place(tmp_path: Path) -> None:
    """Places that they have or wait for count; one's own, those of later runs and of stopped ones do not."""
    first, mine, last = (places(tmp_path, 2, began) for began in (0.5, 2.0, 3.0))
    with mine.place(Cancel(), number=2):
        assert at_leisure(mine)
        assert not at_leisure(last, 0.2)
    with first.place(Cancel()):
        assert at_leisure(mine)
        waits = threading.Event()
        thread = threading.Thread(target=take_both, args=(first, waits))
        thread.start()
        assert waits.wait(30)
        assert not at_leisure(mine, 0.2)
    thread.join(30)
    assert at_leisure(mine)
    with another_holds(tmp_path, 1) as child:
        alone = places(tmp_path, 1)
        assert not at_leisure(alone, 0.2)
        child.send_signal(signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)
        assert at_leisure(alone)


def test_where_nobody_had_a_place_yet_there_is_leisure(tmp_path: Path) -> None:
    """As on each machine of a CI system; and when a run is to end nobody looks any more."""
    mine = places(tmp_path / "places" / "here", 1)
    ended = Cancel()
    ended.set()
    with pytest.raises(Interrupted):
        mine.leisure(ended)
    assert not (tmp_path / "places").exists()
    mine.leisure(Cancel())


def take_both(first: Places, waits: threading.Event) -> None:
    with first.place(Cancel(), lambda busy: waits.set(), 2):
        pass


def test_the_last_places_are_for_the_run_that_began_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others have them, too, where all the work goes on for long: nobody waits for ever for one long run."""
    first, second = (
        Places(tmp_path, 3, Turn(began, f"run-{began}", "tasklib test", os.getpid()), 2)
        for began in (1.0, 2.0)
    )
    with first.place(Cancel()):
        assert take(second)
        with second.place(Cancel()):
            assert take(first)
            assert not take(second, 0.2)
            monkeypatch.setattr("tasklib.state.places._STILL", 0.0)
            assert take(second)
    assert take(second)


def test_whoever_is_stopped_in_the_middle_of_a_look_holds_nobody_up(tmp_path: Path) -> None:
    """Looks come one after another; one that never ends is gone past."""
    mine = places(tmp_path, 1)
    descriptor = open_lock(tmp_path / "decision")
    try:
        assert try_lock(descriptor)
        assert take(mine)
        assert at_leisure(mine)
    finally:
        os.close(descriptor)


def test_whoever_looks_while_another_joins_takes_it_for_no_dead_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where looks do not come one after another."""
    mine, later = places(tmp_path, 1), places(tmp_path, 1, 9.0)
    monkeypatch.setattr("tasklib.state.places._DECISION", 0.0)

    def opened(path: Path) -> int:
        found = open_lock(path)
        if f"-{mine.turn.run}-" in path.name:
            assert not at_leisure(later, 0.0)
        return found

    with places(tmp_path, 1, 1.0).place(Cancel()):
        descriptor = open_lock(tmp_path / "decision")
        try:
            assert try_lock(descriptor)
            monkeypatch.setattr("tasklib.state.places.open_lock", opened)
            assert not take(mine, 0.5)
        finally:
            os.close(descriptor)


def test_one_run_may_wait_by_several_objects(tmp_path: Path) -> None:
    """The stacks of a run on one engine have one each: none takes another's file for its own."""
    waits, wrong = [threading.Event(), threading.Event()], list[ConfigError]()

    def work(waits: threading.Event) -> None:
        try:
            with places(tmp_path, 1).place(Cancel(), lambda busy: waits.set()):
                pass
        except ConfigError as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(event,)) for event in waits]
    with places(tmp_path, 1, 1.0).place(Cancel()):
        for thread, event in zip(threads, waits, strict=True):
            thread.start()
            assert event.wait(30)
        assert len(list((tmp_path / "waiting").iterdir())) == 2
    for thread in threads:
        thread.join(30)
    assert wrong == []


def test_a_look_that_fails_holds_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more files may be open than a process is allowed to."""

    def opened(path: Path) -> int:
        if path.name == "place-1":
            raise OSError(errno.EMFILE, "Too many open files", str(path))
        return open_lock(path)

    with monkeypatch.context() as patched:
        patched.setattr("tasklib.state.places.open_lock", opened)
        with pytest.raises(ConfigError, match="ulimit"), places(tmp_path, 2).place(Cancel()):
            pass
    assert take(places(tmp_path, 1))


def test_a_waiter_that_died_or_is_stopped_is_passed_over(tmp_path: Path) -> None:
    """Its file alone, without a lock, or without a look for some time, counts for nothing."""
    waiting = tmp_path / "waiting"
    waiting.mkdir()
    dead = waiting / "0000000000000.000000-dead-1-000001"
    dead.touch()
    assert take(places(tmp_path, 1))
    assert not dead.exists()


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """Two lines, not a traceback."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigError, match="places cannot be counted"),
        places(tmp_path / "file", 1).place(Cancel()),
    ):
        pass

"""Turns of runs on one machine."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.errors import Interrupted, UsageError
from tasklib.events import Event, Notice, Progress
from tasklib.pipeline.turns import PLACES, Turns, known_memory, number_of_places
from tasklib.process import Cancel
from tasklib.reach import HERE
from tasklib.results import Stage, Target
from tasklib.stacks.address import EngineAddress
from tasklib.stacks.engine.values import EngineFacts
from tasklib.state.places import Places, Turn
from tasklib.state.store import State

API = Target(Stage.UNIT, "api")


def turns(folder: Path, run: str, told: list[Event], *, nested: bool = False) -> Turns:
    turn = Turn(1.0 if run == "first" else 2.0, run, f"tasklib test of {run}", os.getpid())
    return Turns.of_run(State(folder), turn, told.append, Cancel(), {PLACES: "1"}, nested=nested)


def test_who_waits_for_another_run_says_for_whom_once(tmp_path: Path) -> None:
    """A target's progress tells of each wait, a notice of the first."""
    told: list[Event] = []
    mine = turns(tmp_path, "second", told)
    waits = threading.Event()

    def work() -> None:
        for _ in range(2):
            with mine.turn(API):
                pass

    with turns(tmp_path, "first", []).turn(API):
        thread = threading.Thread(target=work)
        thread.start()
        while not told and thread.is_alive():
            waits.wait(0.01)
    thread.join(10)
    assert [type(event) for event in told] == [Progress, Notice]
    assert "`tasklib test of first`" in str(told[-1])


def test_a_run_that_waits_for_itself_says_nothing_of_others(tmp_path: Path) -> None:
    """More targets than places are no news."""
    told: list[Event] = []
    mine = turns(tmp_path, "first", told)
    with mine.turn(API):
        thread = threading.Thread(target=lambda: mine.turn(API).__enter__(), daemon=True)
        thread.start()
        while not told and thread.is_alive():
            threading.Event().wait(0.01)
    thread.join(10)
    assert [type(event) for event in told] == [Progress]


def test_a_run_inside_of_another_runs_tests_does_not_wait_for_it(tmp_path: Path) -> None:
    """It would wait for ever."""
    with turns(tmp_path, "first", []).turn(API), turns(tmp_path, "second", [], nested=True).turn(API):
        pass


HERE_TOO = EngineFacts("here", "26.1", (1, 45), 2, "unix://")
APART = [
    replace(HERE_TOO, id="far", reach=replace(HERE, elsewhere=True), memory=8 << 30),
    replace(HERE_TOO, id="listed", address=EngineAddress("unix:///other", "")),
]


@pytest.mark.parametrize("engine", APART, ids=["elsewhere", "listed"])
def test_an_engine_apart_has_places_of_its_own(tmp_path: Path, engine: EngineFacts) -> None:
    """However it is named: a stack starts there while this machine is full, as many as it has room for."""
    mine, state = turns(tmp_path, "first", []), State(tmp_path)
    with mine.turn(API), ExitStack() as held:
        for _ in range(5):
            held.enter_context(mine.on(engine, state).turn(API))
    assert mine.on(HERE_TOO, state) is mine


@pytest.mark.parametrize(
    ("env", "file", "number"),
    [({PLACES: "3"}, "7", 3), ({}, "7\n", 7), ({}, "", max(4, 2 * (os.cpu_count() or 1)) + 1)],
)
def test_the_number_of_places(tmp_path: Path, env: dict[str, str], file: str, number: int) -> None:
    """The variable comes before the file, which comes before the machine."""
    (tmp_path / "places.txt").write_text(file)
    assert number_of_places(State(tmp_path), env) == number


@pytest.mark.parametrize("given", ["0", "-1", "many", "1.5"])
def test_a_number_that_is_none_is_refused(tmp_path: Path, given: str) -> None:
    """With the name of what holds it."""
    with pytest.raises(UsageError, match=f"{PLACES} takes a number"):
        number_of_places(State(tmp_path), {PLACES: given})


@pytest.mark.parametrize(
    ("keys", "memory"),
    [
        ({}, 0),
        ({"mem_limit": "1073741824"}, 1 << 30),
        ({"deploy": {"resources": {"limits": {"memory": "536870912"}}, "replicas": 3}}, 3 << 29),
        ({"deploy": {"resources": {"limits": {"memory": "1073741824"}}}, "mem_limit": "1073741824"}, 1 << 30),
        ({"mem_limit": "-1"}, 0),
    ],
)
def test_what_containers_may_take(keys: dict[str, Any], memory: int) -> None:
    """By their limits, as Compose renders them; one without takes nobody knows what."""
    assert known_memory({"services": {"db": keys, "api": {"image": "api"}}}) == memory


def test_a_stack_with_high_limits_takes_several_places(tmp_path: Path) -> None:
    """Nobody else gets one beside a stack that may take all of the memory."""
    told: list[Event] = []
    room = 1 << 20
    mine = Places(tmp_path, 3, Turn(1.0, "first", "tasklib test of first", os.getpid()))
    other = Places(tmp_path, 3, Turn(2.0, "second", "tasklib test of second", os.getpid()))
    with Turns(mine, told.append, Cancel(), room).turn(API, 3 * room):
        cancel = Cancel()
        with pytest.raises(Interrupted), other.place(cancel, lambda busy: cancel.set("seen")):
            pass
    with Turns(mine, told.append, Cancel(), room).turn(API, 2 * room), other.place(Cancel()):
        pass
    assert told == []

"""Asking containers for their health: what a failing answer leaves behind, and one question each."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

from msgspec.structs import replace

from tasklib.errors import EngineError
from tasklib.process import Cancel
from tasklib.stacks.engine.values import Container
from tasklib.stacks.starting.probes import Probes, asked

STARTING = Container("c1", "api-1", "test-main", "api", "running", health="starting", health_test=("true",))


def test_a_check_that_could_not_be_run_is_run_again_when_it_is_looked_at_next() -> None:
    """One answer of a busy engine that fails does not leave a container to the engine's own slow checks."""
    told = threading.Event()
    answers = iter((EngineError("busy"), True))

    def run_inside(container: str, argv: tuple[str, ...]) -> bool:
        answer = next(answers)
        if isinstance(answer, EngineError):
            raise answer
        return answer

    engine = SimpleNamespace(run_inside=run_inside, facts=None)
    probes = Probes(cast("Any", engine), Cancel(), told.set)
    for _ in range(500):
        probes.see([STARTING])
        if told.wait(0.01):
            break
    assert next(answers, None) is None
    assert probes.see([STARTING]) == (replace(STARTING, health="healthy"),)


def test_whoever_looks_asks_what_the_engine_does_not_know_yet() -> None:
    """Once each: what passes is healthy, what fails or cannot be run is starting; nothing else is asked."""
    ran: list[str] = []

    def run_inside(container: str, argv: tuple[str, ...]) -> bool:
        ran.append(container)
        if argv == ("gone",):
            raise EngineError("it has ended")
        return argv == ("true",)

    seen = [
        STARTING,
        replace(STARTING, id="fails", health_test=("false",)),
        replace(STARTING, id="gone", health_test=("gone",)),
        replace(STARTING, id="ill", health="unhealthy"),
        replace(STARTING, id="stopped", state="exited"),
        replace(STARTING, id="unchecked", health=None, health_test=()),
    ]
    found = asked(cast("Any", SimpleNamespace(run_inside=run_inside)), seen)
    assert found == (replace(STARTING, health="healthy"), *seen[1:])
    assert sorted(ran) == ["c1", "fails", "gone"]


def test_whoever_looks_does_not_wait_for_a_check_that_hangs() -> None:
    """The container is what the engine says."""
    hanging = threading.Event()
    engine = SimpleNamespace(run_inside=lambda container, argv: hanging.wait(30))
    assert asked(cast("Any", engine), [STARTING], seconds=0.01) == (STARTING,)
    hanging.set()

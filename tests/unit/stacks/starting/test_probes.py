"""Asking starting containers for their health: what an answer that fails leaves behind."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from tasklib.errors import EngineError
from tasklib.process import Cancel
from tasklib.stacks.engine.values import Container
from tasklib.stacks.starting.probes import Probes

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

"""A run on the engine in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from tasklib.events import Event
from tasklib.instance.claim import owner
from tasklib.isolation import Instance
from tasklib.project import Environment, Project
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.plan import full_stack_plan
from tasklib.state.liveness import current
from tasklib.state.records import Run
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import default_state
from tests.memory_compose import MemoryCompose
from tests.memory_engine import MemoryEngine

NewRun = Callable[..., RunContext]


class WatchedStacks:
    """A reaper that only remembers: the projects that would go if the run died now."""

    def __init__(self) -> None:
        self.stacks: set[str] = set()
        self.up: set[str] = set()

    def watch(self, project: str, labels: Mapping[str, str], lock: StackLock) -> None:
        self.stacks.add(project)

    def ready(self, project: str) -> None:
        self.up.add(project)

    def spare(self, project: str) -> None:
        self.stacks.discard(project)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> MemoryEngine:
    # Nothing of it crashes by itself a moment later.
    monkeypatch.setattr("tasklib.stacks.starting.doors._SETTLED", 0.0)
    return MemoryEngine()


@pytest.fixture
def compose(engine: MemoryEngine, monkeypatch: pytest.MonkeyPatch) -> MemoryCompose:
    """A Compose file with one container that only runs."""
    made = MemoryCompose(engine, {"api": {"image": "api"}})
    made.install(monkeypatch)
    return made


@pytest.fixture
def new_run(tmp_path: Path, engine: MemoryEngine, compose: MemoryCompose) -> NewRun:
    """``new_run("run 1")`` is a run of the same checkout on the engine in memory, on record."""
    file = tmp_path / "docker-compose.yml"
    file.write_text("services: {api: {image: api}}\n")
    project = Project(tmp_path, "shop", compose={Environment.TEST: (file,)})

    def make(run: str = "run", **details: Any) -> RunContext:
        events: list[Event] = []
        instance = Instance("main", "checkout", owner(default_state()))
        context = RunContext(
            project,
            instance,
            {},
            default_state(),
            run,
            "tasklib test",
            emit=events.append,
            connection=engine,
            watcher=cast("Any", WatchedStacks()),
            **details,
        )
        context.runs.start(Run(run, current(), instance.checkout, instance.id, str(tmp_path)))
        return context

    return make


@pytest.fixture
def plan(new_run: NewRun) -> Any:
    return full_stack_plan(new_run("planning").project)

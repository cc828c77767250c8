"""What the reaper removes of a dead run, on the engine in memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.engine.values import Container, Resource
from tasklib.stacks.labels import CHECKOUT
from tasklib.stacks.reaper import removal
from tasklib.stacks.reaper.protocol import Left, LeftStack
from tasklib.state.liveness import current
from tasklib.state.records import Run, Runs
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import State, default_state
from tests.memory_engine import MemoryEngine

LABELS = {CHECKOUT: "c1", "com.docker.compose.project": "test-main"}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> MemoryEngine:
    found = MemoryEngine()
    monkeypatch.setattr(DockerEngine, "connect", lambda *wanted, **options: found)
    monkeypatch.setattr(removal, "_PAUSE", 0.001)
    monkeypatch.setattr(removal, "_IN_FLIGHT", 0.002)
    return found


@pytest.fixture
def state() -> State:
    return default_state()


def left(engine: MemoryEngine, state: State, *, ready: bool = True) -> Left:
    """A run that died with a stack up, whose lock was sent to the reaper."""
    lock = StackLock(state, engine.facts.id, "test-main")
    assert lock.try_acquire()
    stack = LeftStack(LABELS, lock.fileno(), str(lock.path), ready)
    return Left("r1", engine.facts.id, str(state.root), "invoke test", 7, {"test-main": stack})


@pytest.mark.parametrize("ready", [True, False])
def test_what_a_dead_run_had_goes_and_its_lock_is_free(
    engine: MemoryEngine, state: State, capsys: pytest.CaptureFixture[str], ready: bool
) -> None:
    """Containers, networks and volumes that carry its labels, and nothing else."""
    engine.add_container("test-main", "api", labels=LABELS)
    engine.add_network("test-main_default", LABELS)
    engine.add_volume("data", LABELS)
    engine.add_container("other", "api", labels={CHECKOUT: "c2"})
    removal.remove_left(left(engine, state, ready=ready))
    assert engine.owned(LABELS) == ()
    assert engine.containers("other")
    assert StackLock(state, engine.facts.id, "test-main").try_acquire()
    log = capsys.readouterr().out.splitlines()
    assert "`invoke test` (pid 7) ended without removing test-main" in log[0]
    assert " removed (" in log[1]


def test_what_its_tests_made_of_files_of_their_own_goes_too(
    engine: MemoryEngine, state: State, tmp_path: Path
) -> None:
    """The run wrote down what was in the project before them: that stays."""
    folder = "com.docker.compose.project.working_dir"
    old = engine.add_container("test-main", "old", labels={folder: str(tmp_path)})
    runs = Runs(state, engine.facts.id)
    runs.start(Run("r1", current(), "c1", "main", str(tmp_path), projects=("test-main",)))
    runs.saw("r1", "test-main", (f"container {old.id}",))
    engine.add_container("test-main", "api", labels=LABELS)
    engine.add_container("test-main", "helper", labels={folder: str(tmp_path)})
    removal.remove_left(left(engine, state))
    assert [container.service for container in engine.containers("test-main")] == ["old"]


def test_what_appears_late_goes_too(engine: MemoryEngine, state: State) -> None:
    """A start that was cut off may still create something: it is waited for."""
    engine.add_container("test-main", "api", labels=LABELS)
    remove = engine.remove

    def removing(resources: object) -> object:
        if engine.containers("test-main"):
            engine.add_network("late", LABELS)
        return remove(resources)  # type: ignore[arg-type]

    engine.remove = removing  # type: ignore[method-assign, assignment]
    removal.remove_left(left(engine, state, ready=False))
    assert engine.owned(LABELS) == ()


def test_a_slow_engine_is_waited_for_longer(
    engine: MemoryEngine, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that takes long to answer takes long to create what it had been asked for."""
    now = 0.0

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds
        if now > 9 and not late:
            late.append(engine.add_container("test-main", "api", labels=LABELS))

    def slowly(labels: Mapping[str, str], *, kinds: Iterable[str] = ()) -> tuple[Resource, ...]:
        passes(0.25)
        return owned(labels, kinds=kinds)

    late: list[Container] = []
    owned = engine.owned
    monkeypatch.setattr(engine, "owned", slowly)
    monkeypatch.setattr(removal, "_IN_FLIGHT", 3.0)
    clock = SimpleNamespace(monotonic=lambda: now, sleep=passes, strftime=time.strftime)
    monkeypatch.setattr(removal, "time", clock)
    removal.remove_left(left(engine, state, ready=False))
    assert late
    assert owned(LABELS) == ()


def test_what_cannot_be_removed_is_named(
    engine: MemoryEngine, state: State, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody else uses it: the next run looks again."""
    monkeypatch.setattr(removal, "_STUCK", 0.01)
    stuck = engine.add_network("test-main_default", LABELS)
    engine.stuck.add(stuck.id)
    removal.remove_left(left(engine, state))
    assert "could not remove test-main_default" in capsys.readouterr().out


def test_another_engine_is_not_touched(
    engine: MemoryEngine, state: State, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever answers there now is not the one that the run used."""
    monkeypatch.setattr(removal, "_PATIENCE", 0.0)
    engine.add_container("test-main", "api", labels=LABELS)
    gone = left(engine, state)
    gone.engine = "one that is gone"
    removal.remove_left(gone)
    assert engine.containers("test-main")
    assert "gave up, the next run tries again" in capsys.readouterr().out


def test_a_run_with_nothing_up(
    engine: MemoryEngine, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its hold on the id ends all the same."""
    removal.remove_left(Left("r1", engine.facts.id, str(state.root), "invoke test", 7))
    assert "ended with nothing up" in capsys.readouterr().out
    assert Path(state.root).is_dir()

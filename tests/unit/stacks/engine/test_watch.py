"""Containers as they change, asked for no more often than needed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tasklib.stacks.engine.values import Container
from tasklib.stacks.engine.watch import Watch


class Engine:
    """Containers that can be changed, and what was asked of them."""

    def __init__(self, *names: str) -> None:
        self.now = {name: Container(name, name, "p", name, "created") for name in names}
        self.asked: list[str] = []

    def everything(self) -> list[Container]:
        self.asked.append("all")
        return list(self.now.values())

    def one(self, container_id: str) -> Container | None:
        self.asked.append(container_id)
        return self.now.get(container_id)


def test_only_what_an_event_names_is_asked_for_again() -> None:
    """After the first look, a changed, a new and a removed container are seen without listing all."""
    engine = Engine("b", "c")
    watch = Watch(engine.everything, engine.one)
    assert [found.id for found in watch.containers()] == ["b", "c"]
    engine.now["b"] = replace(engine.now["b"], state="running")
    engine.now["a"] = Container("a", "a", "p", "a", "created")
    del engine.now["c"]
    watch.follow(["b", "a", "c"])
    assert [(found.id, found.state) for found in watch.containers()] == [("a", "created"), ("b", "running")]
    assert sorted(engine.asked) == ["a", "all", "b", "c"]


def test_a_fresh_look_sees_what_no_event_told() -> None:
    """A container whose event is still on its way is there when it matters."""
    engine = Engine("a")
    watch = Watch(engine.everything, engine.one)
    assert len(watch.containers()) == 1
    engine.now["b"] = Container("b", "b", "p", "b", "created")
    assert len(watch.containers()) == 1
    assert len(watch.containers(fresh=True)) == 2


def test_without_events_all_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is told when the engine hangs up, and sees from then on what nobody tells any more."""
    monkeypatch.setattr("tasklib.stacks.engine.watch._WHOLE_UNTOLD", 0.0)
    engine = Engine("a")
    watch = Watch(engine.everything, engine.one)
    assert len(watch.containers()) == 1
    assert not watch.wait(0)
    watch.follow(["a"])
    assert watch.wait(0)
    assert not watch.wait(0)
    engine.now["b"] = Container("b", "b", "p", "b", "created")
    assert len(watch.containers()) == 2

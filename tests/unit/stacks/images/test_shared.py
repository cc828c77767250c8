"""Which images come from a registry, which are given to it, and what is said where it does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest

from tasklib.process import Cancel
from tasklib.stacks.compose.source import Source
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import BaseImage
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.images.shared import Refused, SharedImages

from .test_builds import Machine, config, machine

__all__ = ["config", "machine"]


@dataclass
class Far:
    """A registry: what it has by reference, and what it says instead of an answer."""

    here: Machine
    has: dict[str, str] = field(default_factory=dict)
    refuses: str = ""
    asked: list[str] = field(default_factory=list)

    def pull(self, reference: str, *rest: object) -> bool:
        self.asked.append(reference)
        if self.refuses:
            raise Refused(self.refuses)
        if reference in self.has:
            self.here.tags[reference] = self.has[reference]
        return reference in self.has

    def push(self, reference: str, *rest: object) -> None:
        if self.refuses:
            raise Refused(self.refuses)
        self.has[reference] = self.here.tags[reference]


Run = Callable[..., set[str]]


@pytest.fixture
def far(machine: Machine) -> Far:
    return Far(machine)


@pytest.fixture
def run(machine: Machine, far: Far, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run()``: the services that a run on a fresh machine builds, some time after the files' last change.

    ``pushes`` whether it gives the registry what it built.
    """
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)

    def work(notices: list[str] | None = None, *, pushes: bool = True) -> set[str]:
        for kept in (machine.origins, machine.ids, machine.built_services):
            kept.clear()
        machine.tags = {"python": "base"}
        told = [] if notices is None else notices
        shared = SharedImages("registry.test/shop-{service}", told.append, pushes=pushes, registry=far)
        made = Builds(cast("Engine", machine), machine, shared)
        made.build(Source((Path("x.yml"),), Path()), config, {}, lambda line: None, Cancel())
        return set(machine.built_services)

    return work


def test_what_one_machine_built_the_next_one_pulls(
    run: Run, machine: Machine, far: Far, tmp_path: Path
) -> None:
    """Under all of its names; what changed is built, and what was not pushed is not there."""
    assert run(pushes=False) == {"api", "web"}
    assert far.has == {}
    assert run() == {"api", "web"}
    first = machine.tags["api:latest"]
    assert {name.partition(":inputs-")[0] for name in far.has} == {
        "registry.test/shop-api",
        "registry.test/shop-web",
    }
    assert run() == set()
    assert machine.tags["api:latest"] == machine.tags["api:readable"] == first
    assert machine.ids["api:latest"] == machine.origins["api:latest"].image == first
    assert machine.removed >= far.has.keys()  # the registry's own names do not stay on the engine
    (tmp_path / "web/Dockerfile").write_text("FROM python\nCOPY Dockerfile /\nRUN true\n")
    assert run() == {"web"}


def test_a_registry_that_does_not_answer_ends_nothing(run: Run, far: Far) -> None:
    """One line says so, and everything is built."""
    notices: list[str] = []
    far.refuses = "connection refused"
    assert run(notices) == {"api", "web"}
    (notice,) = notices
    assert notice.startswith("registry.test does not let us pull images")
    assert "connection refused" in notice
    assert len(far.asked) == 1


def test_what_changed_while_it_was_built_is_not_pushed(
    run: Run, machine: Machine, far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether it is in the image."""
    from tasklib.stacks.compose import compose

    def build(*arguments: Any) -> None:
        (tmp_path / "web/Dockerfile").write_text("FROM python\nCOPY Dockerfile /\nRUN true\n")
        machine.compose_build(*arguments)

    monkeypatch.setattr(compose, "build", build)
    assert run() == {"api", "web"}
    assert [name.partition(":")[0] for name in far.has] == ["registry.test/shop-api"]


def test_a_base_that_came_from_no_registry_is_not_asked_for(run: Run, far: Far) -> None:
    """The same name may be somebody else's there."""
    run()
    assert not [name for name in far.asked if "shop" not in name]


def test_a_base_that_came_from_a_registry_is_brought_up_to_date(
    run: Run, machine: Machine, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a run, so that all machines build on the same; where it cannot be had, what is here counts."""
    known = BaseImage("base", digests=(f"python@sha256:{'a' * 64}",))
    monkeypatch.setattr(machine, "base_image", {"python": known}.get)
    assert run() == {"api", "web"}
    assert far.asked.count("python") == 1
    assert len(far.has) == 2


def test_of_two_engines_of_a_run_one_builds(far: Far) -> None:
    """The other one waits until it has, whatever came of it."""
    shared = SharedImages("registry.test/x-{service}", lambda text: None, pushes=True, registry=far)
    assert shared.mine("a")
    assert not shared.mine("a")
    waiting = Thread(target=shared.wait, args=("a", Cancel()))
    waiting.start()
    shared.made("a")
    waiting.join(10)
    assert not waiting.is_alive()

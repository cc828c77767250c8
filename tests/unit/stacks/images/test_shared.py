"""Which images come from a registry, which are given to it, and what is said where it does not answer."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import pytest

from tasklib.process import Cancel
from tasklib.stacks.compose.source import Source
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import BaseImage
from tasklib.stacks.images import shared as shared_module
from tasklib.stacks.images.awaiting import awaited
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.images.inputs import contents_digest
from tasklib.stacks.images.registry import Refused
from tasklib.stacks.images.shared import SharedImages

from .test_builds import Machine, config, machine

__all__ = ["config", "machine"]


@dataclass
class Far:
    """A registry: what it has by reference, and what it says instead of an answer; ``meanwhile`` what
    happens while it sends an image."""

    here: Machine
    has: dict[str, str] = field(default_factory=dict)
    refuses: str = ""
    refuses_pushes: str = ""
    meanwhile: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list)

    def pull(self, reference: str, *rest: object) -> bool:
        self.asked.append(reference)
        if self.refuses:
            raise Refused(self.refuses)
        if reference in self.has:
            self.meanwhile()
            self.here.tags[reference] = self.has[reference]
        return reference in self.has

    def push(self, reference: str, *rest: object) -> None:
        if self.refuses or self.refuses_pushes:
            raise Refused(self.refuses or self.refuses_pushes)
        self.has[reference] = self.here.tags[reference]


Run = Callable[..., set[str]]


@pytest.fixture
def far(machine: Machine) -> Far:
    return Far(machine)


@pytest.fixture
def run(machine: Machine, far: Far, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run()``: the services that a run on a fresh machine builds, some time after the files' last change.

    ``pushes`` whether it gives the registry what it built, ``bases`` what the machine has to build on.
    """
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)

    def work(
        notices: list[str] | None = None, *, pushes: bool = True, bases: tuple[str, ...] = ("python",)
    ) -> set[str]:
        for kept in (machine.origins, machine.ids, machine.built_services):
            kept.clear()
        machine.tags = dict.fromkeys(bases, "base")
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


def test_what_changes_while_it_is_looked_at_gets_no_reference(
    run: Run, far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its digest is of the one state, what is recorded of the other: neither is fetched nor pushed."""

    def edited(built: dict[str, Any], *rest: Any) -> str | None:
        digest = contents_digest(built, *rest)
        (Path(built["build"]["context"]) / "Dockerfile").write_text("FROM python\nCOPY . /\n")
        return digest

    monkeypatch.setattr(shared_module, "contents_digest", edited)
    assert run() == {"api", "web"}
    assert far.asked == []
    assert far.has == {}


def test_what_changes_while_a_base_image_comes_is_known_by_its_last_state(
    run: Run, far: Far, tmp_path: Path
) -> None:
    """All base images are there before any file is looked at: pulling takes minutes."""
    bases, edits = {"api": "python", "web": "ruby"}, itertools.count()

    def edit() -> None:
        number = next(edits)
        for name, base in bases.items():
            (tmp_path / name / "Dockerfile").write_text(f"FROM {base}\nCOPY . /\nRUN echo {number}\n")

    edit()
    far.has = dict.fromkeys(bases.values(), "base")
    far.meanwhile = edit
    assert run(bases=()) == {"api", "web"}
    assert run(bases=("python", "ruby")) == set()


def test_a_base_image_that_is_there_is_not_pulled(
    run: Run, machine: Machine, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one that has a digest: some engines give one to what was built here, and the same name may
    be somebody else's in a registry."""
    known = BaseImage("base", digests=(f"python@sha256:{'a' * 64}",))
    monkeypatch.setattr(machine, "base_image", {"python": known}.get)
    assert run() == {"api", "web"}
    assert "python" not in far.asked
    assert len(far.has) == 2


def test_a_base_image_that_is_missing_is_pulled_once(run: Run, far: Far) -> None:
    """For all that stands on it; where the registry has none, the build is left to find that out."""
    assert run(bases=()) == {"api", "web"}
    assert far.asked == ["python"]
    far.has["python"] = "base"
    assert run(bases=()) == {"api", "web"}
    assert far.asked.count("python") == 2
    assert len(far.has) == 3


def test_what_copies_nothing_is_shared_though_its_base_image_was_missing(
    run: Run, far: Far, tmp_path: Path
) -> None:
    """Only the image tells whether it has triggers that do."""
    for name in ("api", "web"):
        (tmp_path / name / "Dockerfile").write_text(f"FROM python\nRUN echo {name}\n")
    far.has["python"] = "base"
    assert run(bases=()) == {"api", "web"}
    assert run(bases=()) == set()


def test_two_stacks_on_one_missing_base_image_both_have_a_reference(
    machine: Machine, far: Far, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one waits for the image that the first one pulls."""
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    machine.tags.clear()
    far.has["python"] = "base"
    pulling, may_end = Event(), Event()

    def meanwhile() -> None:
        pulling.set()
        may_end.wait(10)

    def waits(*arguments: Any) -> None:
        may_end.set()
        awaited(*arguments)

    monkeypatch.setattr(shared_module, "awaited", waits)
    far.meanwhile = meanwhile
    shared = SharedImages("registry.test/x-{service}", lambda text: None, pushes=True, registry=far)
    found: dict[str, str | None] = {}

    def ask(name: str) -> None:
        engine, built = cast("Engine", machine), config["services"][name]
        shared.bring_bases(built, engine, Cancel())
        found[name] = shared.reference(name, built, engine)
        may_end.set()

    first, second = (Thread(target=ask, args=(name,)) for name in ("api", "web"))
    first.start()
    assert pulling.wait(10)
    second.start()
    for thread in (first, second):
        thread.join(10)
    assert None not in found.values()
    assert found.keys() == {"api", "web"}
    assert far.asked == ["python"]


def test_a_registry_that_takes_nothing_is_told_once(run: Run, far: Far) -> None:
    """What it has is asked for all the same."""
    notices: list[str] = []
    far.refuses_pushes = "denied: requested access to the resource is denied"
    assert run(notices) == {"api", "web"}
    (notice,) = notices
    assert notice.startswith("registry.test does not let us push images")
    assert len(far.asked) == 2


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

"""Which images are built: those that are not there yet as they would become."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from tasklib.process import Cancel
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.source import Source
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import BaseImage, EngineFacts, Resource
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.images.ownership import tags_of
from tasklib.state.records import Origin

FACTS = EngineFacts("engine", "28", (1, 48), 2, "here", platform="linux/x86_64")


@dataclass
class Machine:
    """An engine's images by tag, what is remembered of them, and what was built, as plain values."""

    tags: dict[str, str] = field(default_factory=lambda: {"python": "base"})
    origins: dict[str, Origin] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    built_services: list[str] = field(default_factory=list)
    number: int = 0
    facts: EngineFacts = FACTS

    # What Builds asks of an engine.
    def base_image(self, tag: str) -> BaseImage | None:
        return BaseImage(self.tags[tag]) if tag in self.tags else None

    def image_id(self, tag: str) -> str | None:
        return self.tags.get(tag)

    def images(self, tags: Iterable[str]) -> tuple[Resource, ...]:
        return tuple(Resource("image", tag, tag, {}) for tag in tags)

    def remove(self, resources: Iterable[Resource]) -> None:
        self.removed |= {resource.id for resource in resources}

    def tag(self, image: str, tag: str) -> None:
        self.tags[tag] = self.tags.get(image, image)

    # What it asks of a memory.
    def built(self, project: str, tags: Iterable[str]) -> None:
        pass

    def origin(self, project: str, tag: str) -> Origin | None:
        return self.origins.get(tag)

    def built_id(self, project: str, tag: str) -> str | None:
        return self.ids.get(tag)

    def remember(self, project: str, ids: Mapping[str, str], origins: Mapping[str, Origin]) -> None:
        self.ids.update(ids)
        self.origins.update(origins)

    def compose_build(self, source: object, config: Any, services: Iterable[str], *rest: object) -> None:
        for name in services:
            self.built_services.append(name)
            self.number += 1
            for tag in tags_of(config["services"][name]):
                self.tags[tag] = f"{name} {self.number}"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(compose, "build", made.compose_build)
    return made


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """An isolated stack with two built services, from files that nothing touches right now."""
    services = {}
    for name in ("api", "web"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text("FROM python\nCOPY Dockerfile /\n")
        build = {"context": str(tmp_path / name), "tags": [f"{name}:readable"]}
        services[name] = {"image": f"{name}:latest", "build": build}
    return {"name": "test-main", "services": services}


def built(
    machine: Machine,
    config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    at: float = 60,
    and_then: dict[str, Any] | None = None,
) -> set[str]:
    """The services that a new run builds for one stack or two, ``at`` seconds from now."""
    now = time.time() + at
    machine.built_services.clear()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now)
        made = Builds(cast("Engine", machine), machine)
        for stack in (config, and_then):
            if stack:
                made.build(Source((Path("x.yml"),), Path()), stack, {}, lambda line: None, Cancel())
    return set(machine.built_services)


def test_what_is_there_is_not_built(
    machine: Machine, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The second run builds nothing, the third what changed meanwhile."""
    assert built(machine, config, monkeypatch) == {"api", "web"}
    assert built(machine, config, monkeypatch) == set()
    (tmp_path / "web" / "Dockerfile").write_text("FROM python\nCOPY Dockerfile /\nRUN true\n")
    assert built(machine, config, monkeypatch) == {"web"}
    machine.tags["python"] = "another base"
    assert built(machine, config, monkeypatch) == {"api", "web"}


@pytest.mark.parametrize("tag", ["api:latest", "api:readable"])
def test_a_tag_that_is_gone_or_names_another_image_is_built(
    machine: Machine, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    """What the record says counts only for the very image that was built then, under all of its names."""
    assert built(machine, config, monkeypatch) == {"api", "web"}
    machine.tags["api:latest"] = "tagged by hand"
    assert built(machine, config, monkeypatch) == {"api"}
    assert "tagged by hand" not in machine.removed
    del machine.tags[tag]
    assert built(machine, config, monkeypatch) == {"api"}
    assert built(machine, config, monkeypatch) == set()


@pytest.mark.parametrize("before", [True, False])
def test_a_readable_name_that_is_somebodys_is_left_alone(
    machine: Machine, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """Whether it was taken before our first build or after it; freed, it is given to what is built next."""
    if not before:
        assert built(machine, config, monkeypatch) == {"api", "web"}
    machine.tags["api:readable"] = "built by hand"
    assert built(machine, config, monkeypatch) == ({"api", "web"} if before else set())
    assert machine.tags["api:readable"] == "built by hand"
    assert machine.tags["web:readable"] == machine.tags["web:latest"]
    del machine.tags["api:readable"]
    assert built(machine, config, monkeypatch) == {"api"}
    assert machine.tags["api:readable"] == machine.tags["api:latest"]


def test_only_what_we_built_ourselves_is_removed(
    machine: Machine, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image that a build replaces goes, unless the name was given to it by somebody else."""
    assert built(machine, config, monkeypatch) == {"api", "web"}
    first = machine.tags["api:latest"]
    machine.tags["web:latest"] = "tagged by hand"
    machine.tags["python"] = "another base"
    assert built(machine, config, monkeypatch) == {"api", "web"}
    assert machine.removed == {first}


def test_after_a_day_it_is_built_in_any_case(
    machine: Machine, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base image's tag may have moved in its registry; a record from the future is none."""
    day = 24 * 3600.0
    assert built(machine, config, monkeypatch) == {"api", "web"}
    assert built(machine, config, monkeypatch, at=day - 60) == set()
    assert built(machine, config, monkeypatch, at=day + 120) == {"api", "web"}
    machine.origins = {tag: replace(origin, at=origin.at + day) for tag, origin in machine.origins.items()}
    assert built(machine, config, monkeypatch) == {"api", "web"}


def test_what_another_image_stands_on_is_built_with_it(
    machine: Machine, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the one below changes shows only when it has been built."""
    inline = f"FROM {config['services']['api']['image']}\nRUN true\n"
    config["services"]["web"]["build"] |= {"dockerfile_inline": inline}
    assert built(machine, config, monkeypatch) == {"api", "web"}
    assert built(machine, config, monkeypatch) == {"api", "web"}


def test_what_one_stack_built_is_known_for_the_other(
    machine: Machine, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stack of a run has names of its own for the same image, and either may ask first the next time."""
    other = {
        "name": "test-main_api",
        "services": {
            "api": {"image": "own:latest", "build": {**config["services"]["api"]["build"], "tags": []}}
        },
    }
    assert built(machine, config, monkeypatch, and_then=other) == {"api", "web"}
    assert built(machine, other, monkeypatch, and_then=config) == set()
    assert built(machine, config, monkeypatch, and_then=other) == set()

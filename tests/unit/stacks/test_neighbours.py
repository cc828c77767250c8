"""Who else is in a stack's Compose project: ours that are left over go, others are never replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasklib.errors import StackError
from tasklib.isolation import Instance
from tasklib.stacks.arbiter import EngineArbiter
from tasklib.stacks.engine.values import Resource
from tasklib.stacks.labels import CHECKOUT, CONTAINER, labels
from tasklib.stacks.neighbours import left_by_tests, made_meanwhile, make_room, names_of, others
from tests.memory_engine import MemoryEngine

INSTANCE = Instance("main", "checkout", "host")
PROJECT = "test-main"
OURS = labels(INSTANCE)
ONE_OFF = {"com.docker.compose.oneoff": "True"}


def left_of(engine: MemoryEngine) -> set[str]:
    return {container.service for container in engine.containers(PROJECT)}


def test_only_our_orphans_go() -> None:
    """Containers of services that the stack has not, but for those of others and for single commands."""
    engine = MemoryEngine()
    engine.add_container(PROJECT, "api", labels=OURS)
    engine.add_container(PROJECT, "old", labels=OURS)
    engine.add_container(PROJECT, "shell", labels=OURS | ONE_OFF)
    engine.add_container(PROJECT, "helper")
    engine.add_container(PROJECT, "theirs", labels=OURS | {CHECKOUT: "another"})
    engine.add_container("test-main_web", "old", labels=OURS)
    make_room(engine, PROJECT, INSTANCE, {"api"})
    assert left_of(engine) == {"api", "shell", "helper", "theirs"}
    assert len(engine.containers("test-main_web")) == 1


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({}, "is in test-main and not ours"),
        ({"labels": OURS | {CHECKOUT: "another"}}, "belongs to another checkout"),
        ({"labels": OURS | {CONTAINER: "test-main.api"}, "image": "copy"}, "is from an image of test-main"),
    ],
)
def test_whoever_stands_for_a_service_is_named(details: dict[str, Any], said: str) -> None:
    """Compose would replace it: nothing is created, and nothing of it goes."""
    engine = MemoryEngine()
    engine.add_image("copy", labels=OURS | {CONTAINER: "test-main.api"})
    found = engine.add_container(PROJECT, "api", **details)
    with pytest.raises(StackError, match=said) as error:
        make_room(engine, PROJECT, INSTANCE, {"api"})
    assert found.name in error.value.what
    assert engine.container(found.id) or engine.inherited({})
    make_room(engine, PROJECT, INSTANCE, {"web"})
    engine = MemoryEngine()
    engine.add_container(PROJECT, "api", labels=ONE_OFF)
    make_room(engine, PROJECT, INSTANCE, {"api"})


def test_what_was_made_of_ours_has_the_id_too() -> None:
    """To Compose it belongs to the project, so whoever asks for the id next gets another one."""
    engine = MemoryEngine()
    engine.add_image("copy", labels=OURS | {CONTAINER: "test-main.api"})
    engine.add_container(PROJECT, "api", labels=OURS | {CONTAINER: "test-main.api"}, image="copy")
    assert EngineArbiter(engine).owners(PROJECT) == {""}
    assert EngineArbiter(engine).owners("test-other") == frozenset()


FOLDER = "com.docker.compose.project.working_dir"


LABEL = "com.docker.compose.project"


def test_what_compose_made_of_other_files_of_the_checkout_is_the_checkouts(tmp_path: Path) -> None:
    """Tests that call it with `-f` name our project by its variable; others' containers are never taken."""
    own, nested = tmp_path / "tests" / "own", tmp_path / "worktrees" / "other"
    for folder in (own, nested / ".git", tmp_path / ".git"):
        folder.mkdir(parents=True)
        if folder.name == ".git":
            (folder / "HEAD").write_text("ref: refs/heads/main\n")
            for name in ("objects", "refs"):
                (folder / name).mkdir()
    engine = MemoryEngine()

    def made(before: tuple[Resource, ...] = ()) -> list[str]:
        found = made_meanwhile(names_of(before), others(engine, PROJECT), tmp_path)
        of_dead = left_by_tests(engine, PROJECT, names_of(before), str(tmp_path))
        assert of_dead == found, "whoever looks after a run that was killed finds the same"
        return [resource.name.removeprefix(f"{PROJECT}.") for resource in found]

    engine.add_container(PROJECT, "api", labels=OURS)
    assert made() == []
    db = engine.add_container(PROJECT, "db", labels={FOLDER: str(own)})
    engine.add_network("test-main_default", {LABEL: PROJECT})
    engine.add_volume("test-main.data", {LABEL: PROJECT, **OURS})
    engine.add_volume("test-main_rows", {LABEL: PROJECT})
    everything = others(engine, PROJECT)
    assert made() == [db.name.removeprefix(f"{PROJECT}."), "test-main_default", "test-main_rows"]
    assert made(everything) == [], "it was there before the tests, and may hold data"
    assert made(tuple(r for r in everything if r.kind == "container")) == [], "it may be that one's"
    engine.add_container(PROJECT, "helper")
    engine.add_container(PROJECT, "theirs", labels={FOLDER: str(nested)})
    engine.add_container(PROJECT, "gone", labels={FOLDER: str(tmp_path / "gone")})
    assert made() == [db.name.removeprefix(f"{PROJECT}.")]
    assert left_by_tests(engine, PROJECT, None, str(tmp_path)) == (), "its tests never began"
    assert left_by_tests(engine, PROJECT, (), str(tmp_path / "gone")) == ()

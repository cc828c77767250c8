"""A data store starts from what it initialised before, and never from what it would not initialise now."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ..cleanup.support import gone_within
from ..projects import Checkout
from ..traces import Traces, until
from .conftest import INIT, POSTGRES, STORE

Shop = Callable[..., Checkout]
Bakes = Callable[[], list[str]]
Ask = Callable[..., str]

COMPOSE, SCRIPT = "deploy/test/docker-compose.yml", "deploy/test/init/1.sql"


def up(checkout: Checkout) -> None:
    ran = checkout.run("tasklib", "infra.up")
    assert ran.code == 0, ran


def down(checkout: Checkout) -> None:
    ran = checkout.run("tasklib", "infra.down")
    assert ran.code == 0, ran


def image_of(traces: Traces) -> str:
    (row,) = traces.containers()
    return str(row["Image"])


def test_a_store_initialises_once(shop: Shop, bakes: Bakes, ask: Ask, traces: Traces) -> None:
    """The second start serves the same data from the same image, what the first one wrote is not there."""
    made = shop()
    up(made)
    (tag,) = bakes()
    assert image_of(traces) == tag
    assert ask(made, "SELECT what FROM made") == "first"
    ask(made, "INSERT INTO made VALUES ('written')")
    down(made)
    up(made)
    assert bakes() == [tag]
    assert image_of(traces) == tag
    assert ask(made, "SELECT what FROM made") == "first"
    shown = made.run("tasklib", "infra.config", "--diff").out
    assert f"-> {tag}  (it starts from what it initialised before)" in shown.replace('"', "")


CHANGES = {
    "script": (SCRIPT, "'first'", "'second'", "SELECT what FROM made", "second"),
    "environment": (
        COMPOSE,
        "of-nobody,",
        "of-nobody, POSTGRES_INITDB_ARGS: --data-checksums,",
        "SHOW data_checksums",
        "on",
    ),
    "command": (
        COMPOSE,
        "ports:",
        'command: ["postgres", "-c", "work_mem=7MB"]\n    ports:',
        "SHOW work_mem",
        "7MB",
    ),
}


def test_what_changed_is_initialised_anew(shop: Shop, bakes: Bakes, ask: Ask) -> None:
    """One change after the other, in a stack that is up: an old bake is never served."""
    made = shop()
    up(made)
    known = set(bakes())
    assert len(known) == 1
    for what, (file, before, after, sql, answer) in CHANGES.items():
        path = made.root / file
        path.write_text(path.read_text().replace(before, after, 1))
        up(made)
        assert ask(made, sql) == answer, what
        assert len(bakes()) == len(known) + 1, what
        assert known < set(bakes()), what
        known = set(bakes())


def test_another_image_of_the_same_name(shop: Shop, bakes: Bakes, engine: Any, token: str) -> None:
    """A tag that moved is another image."""
    name = f"{token}/postgres"
    base = engine.inspect_image(os.environ.get("POSTGRES_IMAGE", "postgres:16"))["Id"]
    engine.tag(base, name, "latest")
    try:
        made = shop(db=STORE.replace(POSTGRES, f"{name}:latest"))
        up(made)
        down(made)
        container = engine.create_container(base, labels={"token": token})["Id"]
        engine.commit(container, name, "latest")
        engine.remove_container(container, v=True)
        up(made)
        assert len(bakes()) == 2
    finally:
        down(made)
        for tag in bakes():
            engine.remove_image(tag, force=True)
        engine.remove_image(f"{name}:latest", force=True)


def test_two_worktrees_share_a_bake_and_no_data(
    shop: Shop, bakes: Bakes, ask: Ask, token: str, traces: Traces
) -> None:
    """And `clean` of one leaves it to the other."""
    one = shop()
    other = one.worktree(f"other/{token}")
    up(one)
    up(other)
    assert len(bakes()) == 1
    ask(one, "INSERT INTO made VALUES ('written')")
    assert ask(one, "SELECT count(*) FROM made") == "2"
    assert ask(other, "SELECT count(*) FROM made") == "1"
    cleaned = one.run("tasklib", "clean")
    assert cleaned.code == 0, cleaned
    assert len(bakes()) == 1
    cleaned = other.run("tasklib", "clean")
    assert cleaned.code == 0, cleaned
    assert bakes() == []


def test_two_runs_at_once_make_it_once(shop: Shop, bakes: Bakes, token: str, state: Path) -> None:
    """Whoever comes second waits for the first and starts from the same."""
    one = shop()
    runs = [each.start("tasklib", "infra.up") for each in (one, one.worktree(f"other/{token}"))]
    assert [run.wait().code for run in runs] == [0, 0]
    assert len(list(state.glob("tasklib/bakes/*/*.json"))) == 1
    assert len(bakes()) == 1


@pytest.mark.parametrize("how", ["setting", "variable"])
def test_turned_off(how: str, shop: Shop, bakes: Bakes, traces: Traces) -> None:
    """Nothing is baked, and the store runs from its own image."""
    made = shop(settings="bake = false" if how == "setting" else "")
    if how == "variable":
        made = replace(made, env={**made.env, "TASKLIB_BAKE": "0"})
    up(made)
    assert bakes() == []
    assert "tasklib-bake" not in image_of(traces)


def test_killed_while_it_bakes(shop: Shop, bakes: Bakes, traces: Traces, state: Path, ask: Ask) -> None:
    """Nothing is left, and the next run bakes."""
    made = shop(init=f"SELECT pg_sleep(4);\n{INIT}")
    running = made.start("tasklib", "infra.up")
    assert until(lambda: traces.states() == {"running"} or running.ended)
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()
    assert not gone_within(traces, state)
    assert bakes() == []
    up(made)
    assert ask(made, "SELECT what FROM made") == "first"
    assert len(bakes()) == 1


def test_a_script_that_fails_shows_its_failure(shop: Shop, bakes: Bakes) -> None:
    """As it did without bakes, each time."""
    made = shop(init="CREATE TABLE broken (;\n")
    for _ in range(2):
        ran = made.run("tasklib", "infra.up")
        assert ran.code == 4, ran
        assert "cannot become ready: db exited with code" in ran.text
        assert "syntax error" in ran.text
    assert bakes() == []


def test_an_image_holds_no_environment_and_no_label_of_ours(shop: Shop, bakes: Bakes, engine: Any) -> None:
    """What is started from it by hand is nobody's, and the password is not to be read there."""
    up(shop())
    (tag,) = bakes()
    config = engine.inspect_image(tag)["Config"]
    assert "of-nobody" not in str(config)
    assert not any(value for key, value in config["Labels"].items() if "tasklib." in key or "compose" in key)


@pytest.mark.parametrize(
    ("db", "why"),
    [
        (STORE + "user: postgres", "`user` may decide what it initialises"),
        (STORE.replace(":ro", '", "./more:/more'), "/more is mounted and can be written"),
        (
            STORE + 'entrypoint: ["/bin/sh", "-c", "exec docker-entrypoint.sh postgres"]',
            "its entry point is not",
        ),
    ],
)
def test_what_is_not_understood_starts_as_its_file_says(
    db: str, why: str, shop: Shop, bakes: Bakes, state: Path
) -> None:
    """It is not baked."""
    made = shop(db=db)
    (made.root / "deploy/test/more").mkdir()
    ran = made.run("tasklib", "test.integration")
    assert ran.code == 0, ran
    assert bakes() == []
    (log,) = state.glob("tasklib/logs/*.log")
    assert f"not baked: {why}" in log.read_text()


def test_beside_a_service_that_is_built(shop: Shop, bakes: Bakes, ask: Ask, token: str) -> None:
    """The store is baked, what is built here is not."""
    made = shop()
    made.write({"deploy/test/Dockerfile": f"FROM {os.environ.get('PYTHON_IMAGE', 'python:3.12-slim')}\n"})
    with (made.root / COMPOSE).open("a") as file:
        file.write("  job:\n    build: .\n    command: ['true']\n    depends_on: [db]\n")
    ran = made.run("tasklib", "test.integration")
    assert ran.code == 0, ran
    assert len(bakes()) == 1


@pytest.mark.parametrize("how", ["gone", "unused"])
def test_what_nobody_starts_from_is_stale(
    how: str, shop: Shop, bakes: Bakes, token: str, state: Path
) -> None:
    """Once its checkouts are gone from the disk, or for a week; it is shown first, and removed on --yes."""
    made = shop()
    other = made.worktree(f"other/{token}")
    up(other)
    down(other)
    (tag,) = bakes()
    assert "nothing is stale" in made.run("tasklib", "clean.stale").out
    if how == "gone":
        shutil.rmtree(other.root)
    else:
        (path,) = state.glob("tasklib/bakes/*/*.json")
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "at": 0.0, "used": dict.fromkeys(record["used"], 0.0)}))
    assert tag in made.run("tasklib", "clean.stale").out
    assert bakes() == [tag]
    ran = made.run("tasklib", "clean.stale", "--yes")
    assert ran.code == 0, ran
    assert bakes() == []
    assert "nothing is stale" in made.run("tasklib", "clean.stale").out

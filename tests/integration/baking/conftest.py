"""A project with a database that initialises something, and the bakes that it leaves."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker.errors
import pytest

from ..conftest import NewProject
from ..projects import Checkout, compose
from ..traces import Traces

POSTGRES = "${POSTGRES_IMAGE:-postgres:16}"

STORE = f"""
image: {POSTGRES}
ports: ["5432"]
environment: {{POSTGRES_PASSWORD: of-nobody, POSTGRES_DB: shop}}
volumes: ["./init:/docker-entrypoint-initdb.d:ro"]
"""

INIT = "CREATE TABLE made (what text);\nINSERT INTO made VALUES ('first');\n"


def files(db: str = STORE, init: str = INIT, settings: str = "") -> dict[str, str]:
    """The files of a project whose only stack is that database."""
    return {
        "pyproject.toml": f"[tool.tasklib]\n{settings}\n",
        "deploy/test/docker-compose.yml": compose(db=db),
        "deploy/test/init/1.sql": init,
        "tests/integration/test_nothing.py": "def test_nothing(): ...\n",
    }


@pytest.fixture
def shop(project: NewProject, token: str, bakes: Callable[[], list[str]]) -> Callable[..., Checkout]:
    """``shop(**files)``: such a project, whose database no other test has."""

    def make(**changes: str) -> Checkout:
        written = files(**changes)
        written["deploy/test/docker-compose.yml"] = written["deploy/test/docker-compose.yml"].replace(
            "_PASSWORD: of-nobody", f"_PASSWORD: of-nobody, TOKEN: {token}"
        )
        made = project(written)
        return replace(made, env={**made.env, "TASKLIB_BAKE": "1"})

    return make


@pytest.fixture
def bakes(engine: Any, state: Path, traces: Traces) -> Iterator[Callable[[], list[str]]]:
    """The bakes of this test that are on the engine; they go with it."""

    def recorded() -> list[str]:
        return [json.loads(path.read_text())["tag"] for path in state.glob("tasklib/bakes/*/*.json")]

    def there() -> list[str]:
        known = {tag for row in engine.images() for tag in row.get("RepoTags") or ()}
        return sorted(known & set(recorded()))

    yield there
    tags = recorded()
    traces.remove()
    for tag in tags:
        with contextlib.suppress(docker.errors.APIError):
            engine.remove_image(tag, force=True)


@pytest.fixture
def ask(engine: Any, traces: Traces) -> Callable[..., str]:
    """``ask(checkout, sql)``: what the database of its stack answers."""

    def answer(checkout: Checkout, sql: str, database: str = "shop") -> str:
        (row,) = (
            row
            for row in traces.containers()
            if f"{checkout.root}{os.sep}" in row["Labels"]["com.docker.compose.project.working_dir"]
        )
        argv = ["psql", "-h", "127.0.0.1", "-U", "postgres", "-d", database, "-qtAc", sql]
        started = engine.exec_create(row["Id"], argv, environment={"PGPASSWORD": "of-nobody"})["Id"]
        said = engine.exec_start(started).decode().strip()
        assert engine.exec_inspect(started)["ExitCode"] == 0, said
        return str(said)

    return answer

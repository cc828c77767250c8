"""A database with a schema of 100 tables, cold, from nothing to ready: with baked stores, and without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.compare import Side, alternate
from benchmarks.figures import Figure

__all__ = ["measure"]

_TABLES = 100

_COMPOSE = """
services:
  db:
    image: ${POSTGRES_IMAGE:-postgres:16}
    environment: {POSTGRES_PASSWORD: benchmark}
    ports: ["5432"]
    volumes: ["./schema.sql:/docker-entrypoint-initdb.d/schema.sql:ro"]
"""

_TABLE = """
CREATE TABLE t{0} (id serial PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now(), amount numeric);
CREATE INDEX t{0}_name ON t{0} (name);
INSERT INTO t{0} (name, amount) SELECT 'row ' || n, n FROM generate_series(1, 20) n;
"""

_TO_READY = """
import sys, time
from pathlib import Path
from tasklib.process import Cancel
from tasklib.project import find_project
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.holding.run import open_context
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.kept import plans

project, cancel = find_project(Path.cwd()), Cancel()
with open_context(project) as context:
    held = HeldStack(context, plans(project, [])[0])
    try:
        held.stack.prepare(cancel)
        held.stack.build(Builds(context.engine, context), cancel)
        assert held.take_ahead(cancel)
        held.stack.create(cancel)
        began = time.perf_counter()
        held.up(cancel)
        print(time.perf_counter() - began)
    finally:
        held.close()
"""
"""Prints the seconds from the start of the created container to a ready one: what baking is about."""


def measure(rounds: int | None = None) -> list[Figure]:
    """How many times faster the baked store is: to ready, and as whole commands. The warm-up bakes."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="tasklib-benchmark-") as folder:
        project = Path(folder) / "tables"
        stack = project / "deploy" / "test"
        stack.mkdir(parents=True)
        (stack / "docker-compose.yml").write_text(_COMPOSE)
        (stack / "schema.sql").write_text("".join(_TABLE.format(number) for number in range(_TABLES)))
        subprocess.run(["git", "init", "-q", "-b", "benchmark-bake", str(project)], check=True)
        variables = {
            "XDG_STATE_HOME": str(Path(folder) / "state"),
            "PATH": f"{programs}:{os.environ['PATH']}",
        }
        without, baked = ({**variables, "TASKLIB_BAKE": value} for value in ("0", "1"))
        to_ready = [sys.executable, "-c", _TO_READY]
        restart = ["sh", "-c", "tasklib infra.up && tasklib infra.down"]
        try:
            ready = alternate(
                Side("to ready without bake", to_ready, project, without, printed=True),
                Side("to ready, baked", to_ready, project, baked, printed=True),
                rounds or 7,
            )
            whole = alternate(
                Side("infra.up and infra.down without bake", restart, project, without),
                Side("infra.up and infra.down, baked", restart, project, baked),
                rounds or 5,
            )
        finally:
            subprocess.run(
                ["tasklib", "clean"],
                cwd=project,
                env={**os.environ, **baked},
                check=False,
                capture_output=True,
            )
    return [
        Figure("a store of 100 tables to ready, baked", "without bake", ready),
        Figure("infra.up and infra.down of that store, baked", "without bake", whole),
    ]

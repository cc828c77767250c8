"""The real `docker compose` and `docker`, and the parts of the unit tests that serve here too."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tasklib.stacks.compose.program import compose_program
from tests.unit.stacks.rewrite import generated
from tests.unit.stacks.rewrite import support as unit

__all__ = ["CORPUS", "POSTGRES", "PYTHON", "REDIS", "compose", "docker", "generated", "render", "unit"]

CORPUS = Path(generated.__file__).parent / "corpus"
PYTHON = os.environ.get("PYTHON_IMAGE", "python:3.12-slim")
POSTGRES = os.environ.get("POSTGRES_IMAGE", "postgres:16")
REDIS = os.environ.get("REDIS_IMAGE", "redis:7")


def compose(*arguments: str, text: str | None = None, root: Path = CORPUS, **env: str) -> str:
    done = subprocess.run(
        # As tasklib starts it: Docker's client takes as long again to find it.
        [*compose_program(), "--project-directory", str(root), *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TEST_INSTANCE_ID": "feature-auth", "PWD": str(root), **env},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(path: Path, **env: str) -> dict[str, Any]:
    printed = compose(
        "-f", str(path), "--profile", "*", "config", "--format", "json", root=path.parent, **env
    )
    rendered: dict[str, Any] = json.loads(printed)
    return rendered


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

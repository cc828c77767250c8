"""The real `docker compose` and `docker`, and the parts of the unit tests that serve here too."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["CORPUS", "POSTGRES", "PYTHON", "REDIS", "compose", "docker", "generated", "render", "unit"]

UNIT = Path(__file__).parents[2] / "unit" / "rewrite"
CORPUS = UNIT / "corpus"
PYTHON = os.environ.get("PYTHON_IMAGE", "python:3.12-slim")
POSTGRES = os.environ.get("POSTGRES_IMAGE", "postgres:16")
REDIS = os.environ.get("REDIS_IMAGE", "redis:7")


def _load(name: str) -> Any:
    """A module of the unit tests, which are no package on the path."""
    spec = importlib.util.spec_from_file_location(f"rewrite_{name}", UNIT / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generated, unit = _load("generated"), _load("support")


def compose(*arguments: str, text: str | None = None, root: Path = CORPUS, **env: str) -> str:
    done = subprocess.run(
        ["docker", "compose", "--project-directory", str(root), *arguments],
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

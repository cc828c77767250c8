"""The shell pipeline that projects copy from each other, against ``invoke test``, on example-project."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.compare import Side, alternate, example_copy
from benchmarks.figures import Figure

__all__ = ["measure"]


def measure(rounds: int | None = None) -> list[Figure]:
    """How many times faster ``invoke test`` is. The warm-up builds images and environments for both."""
    script = Path(__file__).parent / "shell_pipeline.sh"
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with example_copy() as project:
        try:
            ratio = alternate(
                Side("shell pipeline", ["bash", str(script)], project, env),
                Side("invoke test", ["invoke", "test"], project, env),
                rounds or 3,
            )
        finally:
            _remove_images(project, env)
    return [Figure("the whole pipeline of example-project", "the shell pipeline", ratio)]


def _remove_images(project: Path, env: Mapping[str, str]) -> None:
    """What both sides built; the shell pipeline leaves its images, and its stacks when it is interrupted."""
    subprocess.run(
        ["tasklib", "clean"], cwd=project, env={**os.environ, **env}, check=False, capture_output=True
    )
    for down in (project / "deploy/test", *project.glob("services/*/deploy/test")):
        names = {"TEST_INSTANCE_ID": "benchmark", "COMPOSE_PROJECT_NAME": "test-benchmark"}
        subprocess.run(
            ["docker", "compose", "down", "--volumes", "--timeout", "0", "--rmi", "local"],
            cwd=down,
            env={**os.environ, **names},
            check=False,
            capture_output=True,
        )

"""The inner loop: what tasklib adds to the tests themselves on a kept stack, and a run that is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.compare import Side, alternate, example_copy
from benchmarks.figures import Figure

__all__ = ["measure"]

_SERVICE = "worker"


def measure(rounds: int | None = None) -> list[Figure]:
    """What the same tests take by tasklib and by bare pytest, on one kept stack; and ``--cached``."""
    programs = Path(sys.executable).parent
    rounds = rounds or 7
    with example_copy() as project:
        service = project / "services" / _SERVICE
        env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

        def tasklib(*words: str) -> str:
            return subprocess.run(
                ["tasklib", *words], cwd=project, env=env, check=True, capture_output=True, text=True
            ).stdout

        try:
            tasklib("infra.up", "--name", _SERVICE)
            given = json.loads(tasklib("infra.env", "--name", _SERVICE, "--format", "json"))
            tests = ["uv", "run", "pytest", "-q", "--integration", "tests/integration"]
            # `pytest --stack` needs tasklib beside pytest: an environment of its own, for both of its sides.
            subprocess.run(
                [
                    "uv",
                    "pip",
                    "install",
                    "-q",
                    "--python",
                    str(_environment(service, env)),
                    "-e",
                    str(_root()),
                ],
                cwd=service,
                env=env,
                check=True,
            )
            stacked = ["uv", "run", "--no-sync", "pytest", "-q", "--stack", "own", "tests/integration"]
            bare = ["uv", "run", "--no-sync", *tests[2:]]
            kept = alternate(
                Side("tasklib test.service", ["tasklib", "test.service", "--name", _SERVICE], project, env),
                Side("bare uv run pytest", tests, service, {**env, **given}),
                rounds,
            )
            own = alternate(
                Side("pytest --stack own", stacked, service, env),
                Side("bare pytest", bare, service, {**env, **given}),
                rounds,
            )
            tasklib("infra.down")
            tasklib("test")
            cached = alternate(
                Side("tasklib test", ["tasklib", "test"], project, env),
                Side("tasklib test --cached", ["tasklib", "test", "--cached"], project, env),
                min(rounds, 3),
                warm_up=0,
            )
        finally:
            subprocess.run(
                ["tasklib", "clean", "--force"], cwd=project, env=env, check=False, capture_output=True
            )
    return [
        Figure("a service's tests on a kept stack", "bare uv run pytest", 1 / kept),
        Figure("pytest --stack own on a kept stack", "bare pytest with the variables set", 1 / own),
        Figure("a run that is known to pass, --cached", "the same run", cached),
    ]


def _environment(service: Path, env: dict[str, str]) -> Path:
    subprocess.run(["uv", "sync", "-q"], cwd=service, env=env, check=True)
    return service / ".venv" / "bin" / "python"


def _root() -> Path:
    return Path(__file__).parent.parent

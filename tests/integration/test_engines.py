"""Which engines are used, and what the tests themselves do where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .conftest import NewProject
from .projects import PYTHON, compose
from .traces import Traces
from .tunnel import tunnel


def test_an_engine_behind_a_tunnel_is_refused(project: NewProject, traces: Traces, engine: Any) -> None:
    """It answers, but its published ports are somewhere else: exit code 3 before anything starts."""
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(api=f"image: {PYTHON}"),
            "services/api/tests/integration/test_api.py": "def test_never_runs(): raise AssertionError\n",
        }
    )
    with tunnel(engine) as port:
        ran = shop.run("tasklib", "test", env={"DOCKER_HOST": f"tcp://127.0.0.1:{port}"})
    assert ran.code == 3, ran
    assert ran.lines == [
        f"error: the engine at http://127.0.0.1:{port} is remote: "
        "its published ports are not on this machine's loopback",
        "Unset DOCKER_HOST, or `docker context use default`, to use a local engine.",
    ], ran
    assert traces.left() == []


def test_without_an_engine_these_tests_are_skipped_and_fail_on_a_ci_system(tmp_path: Path) -> None:
    """With the reason; a CI system must not pass because nothing ran."""
    env = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/no.sock", "PYTEST_ADDOPTS": ""}
    for variable, code, outcome in (("", 0, "1 skipped"), ("1", 1, "1 error")):
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rsE", "-m", "engine"),
                f"{__file__}::test_an_engine_behind_a_tunnel_is_refused",
            ],
            env={**env, "CI": variable},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, outcome in ran.stdout) == (code, True), ran.stdout
        assert "no Docker engine answers" in ran.stdout

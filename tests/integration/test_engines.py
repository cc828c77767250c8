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


def test_the_machines_own_engine_is_reached_through_a_port_of_its(
    project: NewProject, traces: Traces, engine: Any
) -> None:
    """As in a pod: its ports are here; whether its files are cannot be seen, so they are copied."""
    served = f"""
        image: {PYTHON}
        command: python -u -m http.server 8000 --directory /served
        ports: ["8000"]
        volumes: ["./served:/served:ro"]
    """
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(api=served),
            "services/api/deploy/test/served/page": "hello",
            "services/api/tests/integration/test_api.py": """
                import os, urllib.request

                def test_answers():
                    assert urllib.request.urlopen(os.environ["TEST_API_URL"] + "/page").read() == b"hello"
            """,
        }
    )
    with tunnel(engine) as port:
        ran = shop.run("tasklib", "test", env={"DOCKER_HOST": f"tcp://127.0.0.1:{port}"})
    assert ran.code == 0, ran
    assert traces.left() == []


def test_without_an_engine_these_tests_are_skipped_and_fail_on_a_ci_system(tmp_path: Path) -> None:
    """With the reason; a CI system must not pass because nothing ran."""
    env = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/no.sock", "PYTEST_ADDOPTS": ""}
    for variable, code, outcome in (("", 0, "1 skipped"), ("1", 1, "1 error")):
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rsE", "-m", "engine"),
                f"{__file__}::test_the_machines_own_engine_is_reached_through_a_port_of_its",
            ],
            env={**env, "CI": variable},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, outcome in ran.stdout) == (code, True), ran.stdout
        assert "no Docker engine answers" in ran.stdout

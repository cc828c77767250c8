"""The service stage of one service, cold, against pytest plugins and libraries that bring up the same stack.

Each has the same Compose file, images and tests. They are compared as their documentation has them, and tuned
by hand: health checks every 100 ms, and no grace at the end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.compare import Side, alternate
from benchmarks.figures import Figure

__all__ = ["measure"]

_PYPROJECT = """
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"

[dependency-groups]
dev = ["pytest", "pytest-docker", "python-on-whales", "testcontainers"]

[tool.tasklib.services.api]
path = "."
compose = "docker-compose.yml"
service = "tests"
command = ["uv", "run", "pytest", "-q", "-p", "no:docker", "{paths}"]
"""

_COMPOSE = """
services:
  db:
    image: ${POSTGRES_IMAGE:-postgres:16}
    environment: {POSTGRES_PASSWORD: benchmark}
    healthcheck: {test: ["CMD", "pg_isready", "-U", "postgres"], interval: 5s, retries: 20}
    ports: ["5432"]
  api:
    image: ${PYTHON_IMAGE:-python:3.12-slim}
    command: ["python3", "-m", "http.server", "8000"]
    depends_on: {db: {condition: service_healthy}}
    healthcheck:
      test: ["CMD", "python3", "-c", "import urllib.request as u; u.urlopen('http://localhost:8000')"]
      interval: 5s
      retries: 20
    ports: ["8000"]
"""

_TUNED = _COMPOSE.replace("interval: 5s", "interval: 100ms").replace(
    "    ports:", "    stop_grace_period: 0s\n    ports:"
)

_TESTS = """
import socket
from urllib.request import urlopen


def test_api_answers(api):
    assert urlopen(f"http://127.0.0.1:{api}/", timeout=5).status == 200


def test_database_listens(database):
    socket.create_connection(("127.0.0.1", database), timeout=5).close()
"""

_CONFTEST = """
import os
from pathlib import Path

import pytest

PEER = os.environ.get("PEER", "")
FILE = os.environ.get("COMPOSE", "docker-compose.yml")
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def docker_compose_file():
    return str(ROOT / FILE)


@pytest.fixture(scope="session")
def docker_setup():
    return ["up --build --wait"]


@pytest.fixture(scope="session")
def ports(request):
    if PEER == "pytest-docker":
        services = request.getfixturevalue("docker_services")
        yield services.port_for("api", 8000), services.port_for("db", 5432)
    elif PEER == "testcontainers":
        from testcontainers.compose import DockerCompose

        with DockerCompose(ROOT, compose_file_name=FILE, wait=True) as stack:
            yield int(stack.get_service_port("api", 8000)), int(stack.get_service_port("db", 5432))
    elif PEER == "python-on-whales":
        from python_on_whales import DockerClient

        client = DockerClient(compose_files=[ROOT / FILE])
        client.compose.up(detach=True, wait=True, quiet=True)
        try:
            yield client.compose.port("api", 8000)[1], client.compose.port("db", 5432)[1]
        finally:
            client.compose.down(volumes=True, quiet=True)
    else:
        yield int(os.environ["TEST_API_PORT"]), int(os.environ["TEST_DB_PORT"])


@pytest.fixture(scope="session")
def api(ports):
    return int(ports[0])


@pytest.fixture(scope="session")
def database(ports):
    return int(ports[1])
"""

_PEERS = ("pytest-docker", "testcontainers", "python-on-whales")


def measure(rounds: int | None = None) -> list[Figure]:
    """How many times as fast the service stage is. The warm-up makes environments and bakes the database."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="tasklib-benchmark-") as folder:
        project = _project(Path(folder) / "shop")
        # Ours is baked and remembered in a folder that goes with the project.
        variables = {"PATH": f"{programs}:{os.environ['PATH']}", "XDG_STATE_HOME": f"{folder}/state"}
        ours = Side("tasklib test.service", ["tasklib", "test.service"], project, variables)
        found = []
        try:
            for file, how in (("docker-compose.yml", "as documented"), ("tuned.yml", "tuned by hand")):
                for peer in _PEERS:
                    env = {**variables, "PEER": peer, "COMPOSE": file, "TESTCONTAINERS_RYUK_DISABLED": "true"}
                    side = Side(f"{peer}, {how}", ["uv", "run", "pytest", "-q", "tests"], project, env)
                    ratio = alternate(side, ours, rounds or 3)
                    found.append(Figure("service stage of one service, cold", side.name, ratio))
        finally:
            subprocess.run(
                ["tasklib", "clean"],
                cwd=project,
                env={**os.environ, **variables},
                check=False,
                capture_output=True,
            )
        return found


def _project(folder: Path) -> Path:
    (folder / "tests").mkdir(parents=True)
    for name, text in {
        "pyproject.toml": _PYPROJECT,
        "docker-compose.yml": _COMPOSE,
        "tuned.yml": _TUNED,
        "tests/conftest.py": _CONFTEST,
        "tests/test_shop.py": _TESTS,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q", "-b", "benchmark-peers", str(folder)], check=True)
    subprocess.run(["uv", "sync", "-q"], cwd=folder, check=True)
    return folder

"""The images that stand for the official ones behave like them, whichever were chosen."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .projects import OFFICIAL

DEADLINE = 60.0

Docker = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., str]


def image(variable: str) -> str:
    return os.environ.get(variable) or OFFICIAL[variable]


@pytest.fixture
def docker(engine: Any) -> Docker:
    """Runs the Docker client; a failure is a failure of the test unless `check` is False."""

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, check=False, timeout=120
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def start(docker: Docker, token: str) -> Iterator[Start]:
    """Starts a container that is gone, with its volumes, after the test; returns its id."""
    started: list[str] = []

    def run(*arguments: str) -> str:
        name = f"images-{token}-{len(started)}"
        started.append(name)
        return docker("run", "--detach", "--name", name, *arguments).stdout.strip()

    yield run
    for name in started:
        docker("rm", "--force", "--volumes", name, check=False)


def wait_for(condition: Callable[[], bool]) -> None:
    """Return as soon as `condition` holds; fail after DEADLINE seconds."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def test_postgres_initialises_before_it_listens(docker: Docker, start: Start, tmp_path: Path) -> None:
    """User, password, database and start scripts are there at the first connection over TCP, so a health
    check over TCP means the data is complete; options of the command reach the server; the data folder may be
    a tmpfs."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "1.sql").write_text("CREATE TABLE seen (n int); INSERT INTO seen VALUES (1);\n")
    (scripts / "2.sh").write_text(
        'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO seen SELECT 2 FROM pg_sleep(1)"\n'
    )
    container = start(
        "--tmpfs", "/var/lib/postgresql/data", "--volume", f"{scripts}:/docker-entrypoint-initdb.d:ro",
        "--env", "POSTGRES_USER=shop", "--env", "POSTGRES_PASSWORD=a b'c", "--env", "POSTGRES_DB=orders-db",
        image("POSTGRES_IMAGE"), "postgres", "-c", "fsync=off",
    )  # fmt: skip
    query = (
        "psql",
        "-h",
        "127.0.0.1",
        "-U",
        "shop",
        "-d",
        "orders-db",
        "-Atc",
        "SELECT sum(n) FROM seen; SHOW fsync",
    )
    said: list[str] = []

    def answers() -> bool:
        done = docker("exec", "--env", "PGPASSWORD=a b'c", container, *query, check=False)
        said.append(done.stdout)
        return done.returncode == 0

    wait_for(answers)
    assert said[-1].split() == ["3", "off"]


def test_postgres_wants_a_password(docker: Docker) -> None:
    """Like the official image it does not start open to everybody by omission."""
    done = docker("run", "--rm", image("POSTGRES_IMAGE"), check=False)
    assert done.returncode != 0
    assert "POSTGRES_PASSWORD" in done.stderr


@pytest.mark.parametrize(
    ("variable", "volume"), [("POSTGRES_IMAGE", "/var/lib/postgresql/data"), ("REDIS_IMAGE", "/data")]
)
def test_data_is_in_a_declared_volume(docker: Docker, variable: str, volume: str) -> None:
    """Anonymous volumes come into being as with the official images, so that tests see whether they are
    removed."""
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image(variable)).stdout)
    assert volume in config["Volumes"]
    assert len(config["ExposedPorts"]) == 1


def test_redis_answers_other_containers(docker: Docker, start: Start) -> None:
    """Options given to redis-server keep protected mode off, and the server is not root."""
    container = start(image("REDIS_IMAGE"), "redis-server", "--save", "")
    address = docker(
        "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container
    ).stdout.strip()
    ping = ("exec", container, "redis-cli", "-h", address, "ping")
    wait_for(lambda: docker(*ping, check=False).stdout.strip() == "PONG")
    assert "\nUid:\t0\t" not in docker("exec", container, "cat", "/proc/1/status").stdout


def test_nginx_serves_conf_d_and_logs_to_its_streams(docker: Docker, start: Start, tmp_path: Path) -> None:
    """A file in conf.d is served in the foreground, a template gets its variables, requests are logged."""
    (tmp_path / "x.conf.template").write_text(
        'server { listen 8080; location / { return 200 "$GREETING from $host\\n"; } }\n'
    )
    container = start(
        "--env", "GREETING=hello", "--volume", f"{tmp_path}:/etc/nginx/templates:ro", image("NGINX_IMAGE")
    )
    request = ("exec", container, "curl", "-sf", "http://127.0.0.1:8080/orders")
    wait_for(lambda: docker(*request, check=False).stdout == "hello from 127.0.0.1\n")
    wait_for(lambda: "GET /orders" in docker("logs", container).stdout)


def test_python_installs_packages_without_being_refused(docker: Docker) -> None:
    """`python` and `pip` are the same interpreter's, and pip may install into it."""
    project = '[project]\\nname = "probe"\\nversion = "1"\\n'
    script = (
        "python -c 'import sys; assert sys.version_info >= (3, 11)' && mkdir /p && touch /p/probe.py && "
        f"printf '{project}' > /p/pyproject.toml && pip install -q /p && python -c 'import probe'"
    )
    docker("run", "--rm", image("PYTHON_IMAGE"), "sh", "-c", script)


def test_node_has_npm_and_npx(docker: Docker) -> None:
    """Node is new enough for the frontend's tools, and npm and npx run."""
    said = docker(
        "run", "--rm", image("NODE_IMAGE"), "sh", "-c", "node --version && npm --version && npx --version"
    )
    assert said.stdout.startswith("v2")
    assert len(said.stdout.split()) == 3

"""A job beside an engine of its own, as `docker:dind` is a service of GitLab's and Gitea's jobs."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ..conftest import NewProject
from ..projects import PYTHON, compose
from ..traces import Traces, until
from .job import BASE, job


@dataclass(frozen=True)
class Neighbour:
    """The container with the engine, and the network that it shares with the job alone."""

    name: str

    def docker(self, *arguments: str) -> str:
        """What `docker` says in there."""
        argv = ["docker", "exec", self.name, "docker", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


@pytest.fixture(scope="module")
def dind(engine: Any) -> Iterator[Neighbour]:
    name = f"dind-{secrets.token_hex(4)}"
    image = os.environ["PYTHON_IMAGE"]
    run = ["docker", "run", "--detach", "--name", name, "--privileged", "--network", name]
    run += ["--network-alias", "docker", "--volume", "/usr:/usr:ro", "--volume", "/var/lib/docker"]
    run += ["--volume", "/etc/alternatives:/etc/alternatives:ro", BASE]
    run += ["dockerd", "--tls=false", "--host=tcp://0.0.0.0:2375", "--host=unix:///var/run/docker.sock"]
    try:
        subprocess.run(["docker", "network", "create", name], check=True, capture_output=True)
        subprocess.run(run, check=True, capture_output=True)
        made = Neighbour(name)
        if not until(lambda: made.docker("version", "--format", "{{.Server.Version}}"), 30):
            pytest.skip("no engine starts in a container here")
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as save:
            load = ["docker", "exec", "-i", name, "docker", "load"]
            subprocess.run(load, stdin=save.stdout, check=True, capture_output=True)
        yield made
    finally:
        subprocess.run(["docker", "rm", "-fv", name], check=False, capture_output=True)
        subprocess.run(["docker", "network", "rm", name], check=False, capture_output=True)


def test_ports_are_published_on_the_neighbours_own_address(
    project: NewProject, traces: Traces, engine: Any, dind: Neighbour
) -> None:
    """Which only the job's network has; files are copied, and nothing is left with the neighbour."""
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(
                api=f"""
                    image: {PYTHON}
                    command: python -u -m http.server 8000 --directory /served
                    ports: ["8000"]
                    volumes: ["./served:/served:ro"]
                """
            ),
            "services/api/deploy/test/served/page": "hello",
            "services/api/tests/integration/test_api.py": """
                import os, subprocess, urllib.request

                def test_it():
                    url = os.environ["TEST_API_URL"]
                    assert urllib.request.urlopen(url + "/page").read() == b"hello"
                    bound = subprocess.run(
                        ["docker", "ps", "--format", "{{.Ports}}"], capture_output=True, text=True
                    ).stdout
                    assert bound.startswith(os.environ["TEST_API_HOST"] + ":")
            """,
        }
    )
    address = json.loads(
        subprocess.run(["docker", "inspect", dind.name], capture_output=True, check=True).stdout
    )[0]["NetworkSettings"]["Networks"][dind.name]["IPAddress"]
    env = {"DOCKER_HOST": "tcp://docker:2375"}
    with job(engine, shop, socket=False, options=("--network", dind.name)) as made:
        ran = made.run("tasklib", "test.service", env=env)
        assert ran.code == 0, ran
        assert f"ports published on {address}: the engine is a neighbour" in ran.text
    assert dind.docker("ps", "-aq") == ""
    assert traces.left() == []

"""Stacks that cannot come up: a clear line or two, the contract's exit code, and nothing left."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tasklib.stacks.engine.values import SERVICE_LABEL

from .conftest import NewProject
from .projects import PYTHON, Ran, compose
from .traces import Traces, until


@dataclass(frozen=True)
class Broken:
    """A service's stack that cannot come up, what is said of it, word for word, and the exit code."""

    stack: str
    reason: str
    logs: tuple[str, ...] = ()
    code: int = 4
    files: Mapping[str, str] = field(default_factory=dict)

    def told(self, rerun: str) -> list[str]:
        return [
            f"service api: ERROR (…): {self.reason}",
            *(["  container logs:"] if self.logs else []),
            *(f"  {line}" for line in self.logs),
            f"  rerun: {rerun}",
            "ERROR (service api): no tests in 1 target (…).",
        ]


COMPOSE_FILE = "services/api/deploy/test/docker-compose.yml"
BUILT = compose(
    api="""
        build: {context: ../.., args: {PYTHON_IMAGE: "${PYTHON_IMAGE:-python:3.12-slim}"}}
        ports: ["8000"]
    """
)

BROKEN = {
    "exits at start": Broken(
        compose(
            api=f"""
                image: {PYTHON}
                command: sh -c 'echo no database is configured >&2; exit 3'
                ports: ["8000"]
            """
        ),
        "the stack of api cannot become ready: api exited with code 3",
        ("api | no database is configured",),
    ),
    "exits although it serves": Broken(
        compose(
            api=f"""
                image: {PYTHON}
                command: sh -c 'echo nothing to serve'
                ports: ["8000"]
            """
        ),
        "the stack of api cannot become ready: api exited with code 0 although it publishes a port",
        ("api | nothing to serve",),
    ),
    "never healthy": Broken(
        compose(
            api=f"""
                image: {PYTHON}
                command: sh -c 'echo warming up; exec sleep 600'
                ports: ["8000"]
                healthcheck:
                  test: ["CMD-SHELL", "echo cache is cold; exit 1"]
                  interval: 1s
                  retries: 2
            """
        ),
        "the stack of api cannot become ready: api is unhealthy; its health check said: cache is cold",
        ("api | warming up",),
    ),
    "a dependency is never healthy": Broken(
        compose(
            database=f"""
                image: {PYTHON}
                command: sh -c 'echo disk is full; exec sleep 600'
                healthcheck:
                  test: ["CMD-SHELL", "exit 1"]
                  interval: 1s
                  retries: 2
            """,
            api=f"""
                image: {PYTHON}
                command: python -m http.server 8000
                ports: ["8000"]
                depends_on: {{database: {{condition: service_healthy}}}}
            """,
        ),
        "the stack of api cannot become ready: database is unhealthy",
        ("database | disk is full",),
    ),
    "nobody listens": Broken(
        compose(
            api=f"""
                image: {PYTHON}
                command: sh -c 'echo idling; exec sleep 600'
                ports: ["8000"]
            """
        ),
        "the stack of api was not ready after 6 s, waiting for api (port 8000 does not accept)",
        ("api | idling",),
        files={"pyproject.toml": "[tool.tasklib]\ntimeout.ready = 6\n"},
    ),
    "no such program": Broken(
        compose(
            api=f"""
                image: {PYTHON}
                command: no-such-program
            """
        ),
        "the stack of api cannot become ready: api cannot start: "
        'exec: "no-such-program": executable file not found in $PATH',
    ),
    "a step does not build": Broken(
        BUILT,
        "services/api/Dockerfile:3: the image of api does not build: "
        "`RUN echo installing >&2 && echo no such package >&2 && exit 7` exited with code 7: no such package",
        ("build | installing", "build | no such package"),
        files={
            "services/api/Dockerfile": r"""
                ARG PYTHON_IMAGE
                FROM ${PYTHON_IMAGE}
                RUN echo installing >&2 \
                 && echo no such package >&2 \
                 && exit 7
            """
        },
    ),
    "the Dockerfile does not parse": Broken(
        BUILT,
        "services/api/Dockerfile:3: the image of api does not build: unknown instruction: PERFORM",
        files={"services/api/Dockerfile": "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\nPERFORM true\n"},
    ),
    "no Dockerfile": Broken(
        BUILT,
        "services/api/Dockerfile: the image of api does not build: there is no such Dockerfile",
    ),
    "no such image": Broken(
        compose(api="image: localhost:1/no/such:image"),
        f"{COMPOSE_FILE}: api: the image localhost:1/no/such:image cannot be pulled: "
        'Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    ),
    "the Compose file does not parse": Broken(
        "services:\n  api:\n    image: [\n",
        f"{COMPOSE_FILE}: yaml: line 3: did not find expected node content",
        code=2,
    ),
    "the Compose file has an unknown key": Broken(
        compose(
            api=f"""
                image: {PYTHON}
                prots: ["8000"]
            """
        ),
        f"{COMPOSE_FILE}: validating services.api Additional property prots is not allowed. "
        "Compose … is installed, which does not know it: is it misspelt, or newer than that?",
        code=2,
    ),
    "what cannot be isolated": Broken(
        compose(
            api=f"""
                image: {PYTHON}
                network_mode: host
            """
        ),
        f"{COMPOSE_FILE}: services.api.network_mode: uses the host's network, with every port of it. "
        "Allow it with `shared.host-network = true` under [tool.tasklib] in pyproject.toml, "
        "or take it out of the test stack.",
        code=2,
    ),
}


BY_NOX = {"exits at start", "a step does not build", "what cannot be isolated"}
"""One of each: a start that fails, a build that fails, a file that is refused."""


@pytest.mark.parametrize("case", BROKEN)
def test_a_stack_that_cannot_come_up_says_why_and_goes(project: NewProject, case: str) -> None:
    """A few lines, the same with Invoke and with Nox, each with its exit code; fixtures find what is left."""
    broken = BROKEN[case]
    checkout = project(
        {
            COMPOSE_FILE: broken.stack,
            "services/api/tests/integration/test_api.py": "def test_never_runs(): raise AssertionError\n",
            "noxfile.py": "from tasklib.sessions import register\nregister()\n",
            "tasks.py": "from tasklib.tasks import namespace as ns\n",
            **broken.files,
        }
    )
    invoke = checkout.run("invoke", "test.service")
    assert invoke.code == broken.code, invoke
    assert _without_version(invoke) == broken.told("invoke test.service --name api"), invoke
    if case in BY_NOX:
        nox = checkout.run("nox", "-s", "service")
        assert nox.code == 1, nox
        assert _without_version(nox) == broken.told("nox -s service -- --name api"), nox
    assert checkout.is_clean


def _without_version(ran: Ran) -> list[str]:
    """What was told, whichever Compose is installed."""
    return [re.sub(r"(?<=Compose )\S+(?= is installed)", "…", line) for line in ran.told]


def test_a_stack_whose_container_somebody_removes_is_not_waited_for(
    project: NewProject, traces: Traces
) -> None:
    """`clean --force` in another shell, or `docker rm`: the start ends, and names the container."""
    waits = f"""
        image: {PYTHON}
        command: sleep 600
        healthcheck: {{test: ["CMD", "false"], interval: 1s, retries: 600}}
    """
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(db=waits, cache=waits),
            "services/api/tests/integration/test_api.py": "def test_api(): pass\n",
        }
    )
    running = shop.start("tasklib", "test.service")
    assert until(lambda: traces.states() == {"running"} and len(traces.containers()) == 2)
    db = next(row["Id"] for row in traces.containers() if row["Labels"][SERVICE_LABEL] == "db")
    subprocess.run(["docker", "rm", "-f", db], check=True, capture_output=True)
    ran = running.wait(60)
    assert ran.code == 4, ran
    assert "somebody removed its container of db while it started" in ran.text

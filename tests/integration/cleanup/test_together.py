"""Two clones of one repository and another repository, all on `main`, run their pipelines together."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

from ..conftest import NewProject
from ..projects import Checkout, compose
from ..traces import Observer, Traces
from .support import Run, gone_within

CACHE = """
    image: "${REDIS_IMAGE:-redis:7}"
    ports: ["6379"]
"""

CHECK = """
    import os
    import socket
    import time
    from urllib.parse import urlsplit

    def ask(command):
        address = urlsplit(os.environ["TEST_CACHE_URL"])
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            connection.sendall(command.encode() + b"\\r\\n")
            return connection.recv(4096).decode()

    me = os.getcwd().encode().hex()
    assert ask("GET owner") == "$-1\\r\\n", "someone was here before"
    ask(f"SET owner {me}")
    for _ in range(20):
        time.sleep(0.05)
        assert me in ask("GET owner"), "someone else is here"
"""
"""What each test run does: writes its own folder into its database, and finds nothing else there."""

FILES = {
    "pyproject.toml": """
        [tool.tasklib.services.api]
        command = ["python", "../../check.py"]
    """,
    "check.py": CHECK,
    "deploy/test/docker-compose.yml": compose(cache=CACHE),
    "services/api/deploy/test/docker-compose.yml": compose(cache=CACHE),
    "services/api/tests/integration/README": "check.py does it\n",
    "tests/integration/test_all.py": """
        import runpy

        def test_all():
            runpy.run_path("check.py")
    """,
}


def test_three_checkouts_on_one_branch_at_once(
    project: NewProject, traces: Traces, token: str, state: Path
) -> None:
    """None sees another's data; each has an id of its own; the same names exist three times over."""
    first = project(FILES, branch="m-{token}", name="shop")
    clone = replace(first, root=first.root.with_name("clone"))
    subprocess.run(["git", "clone", "-q", str(first.root), str(clone.root)], check=True, env=dict(first.env))
    other = project(FILES, branch="m-{token}", name="other")
    with Observer(token) as observer:
        runs = [Run(checkout, "tasklib", "test") for checkout in (first, clone, other)]
        for run in runs:
            assert run.wait() == 0, run.text
    assert not observer.clashes
    full_stacks = {name for name in observer.projects if "_" not in name}
    assert len(full_stacks) == 3
    assert f"test-m-{token}" in full_stacks
    assert sum("is in use by" in run.text for run in runs) == 2, [run.text for run in runs]
    assert not gone_within(traces, state)
    assert {instance_of(checkout) for checkout in (first, clone, other)} == {f"m-{token}"}


def instance_of(checkout: Checkout) -> str:
    """Once nothing is left of the others, the plain id is free again."""
    return checkout.run("tasklib", "infra.id").out.strip()


BUILT = """
    build: {context: ../.., args: {PYTHON_IMAGE: "${PYTHON_IMAGE:-python:3.12-slim}"}}
    ports: ["8000"]
"""

OWN_IMAGE = """
    ARG PYTHON_IMAGE=python:3.12-slim
    FROM ${PYTHON_IMAGE}
    WORKDIR /www
    COPY owner .
    CMD ["python", "-u", "-m", "http.server", "8000"]
"""

SERVES_ITS_OWNER = """
    import os
    import urllib.request

    def test_whose_it_is():
        with urllib.request.urlopen(os.environ["TEST_API_URL"] + "/owner") as answer:
            assert answer.read().decode() == open("owner").read()
"""


def test_two_users_start_at_once(project: NewProject, traces: Traces, token: str, state: Path) -> None:
    """With a state folder each they have only the engine in common: each is served what it built."""
    files = {
        "Dockerfile": OWN_IMAGE,
        "deploy/test/docker-compose.yml": compose(api=BUILT),
        "tests/integration/test_owner.py": SERVES_ITS_OWNER,
    }
    users = []
    for name in ("ann", "ben"):
        checkout = project({**files, "owner": f"{name} {token}\n"}, branch="m-{token}", name=name)
        users.append(replace(checkout, env={**checkout.env, "XDG_STATE_HOME": str(state / name)}))
    for number in range(2):
        with Observer(token) as observer:
            runs = [Run(user, "tasklib", "test.integration") for user in users]
            for run in runs:
                assert run.wait() == 0, f"round {number}: {run.text}"
        assert not observer.clashes
        assert len(observer.projects) == 2, f"round {number}: {observer.projects}"
        assert not traces.left()

"""New data for a stack that stays, and stacks that stay since their tests failed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ..conftest import NewProject
from ..projects import PYTHON, Checkout, compose
from ..traces import Traces

SERVED = f"""
image: {PYTHON}
command: python -u -m http.server 8000
ports: ["8000"]
"""

STORE = f"""
image: {PYTHON}
command: python -u -m http.server 8000 --directory /data
ports: ["8000"]
volumes: [data:/data]
"""

WRITES = """
    import pathlib, subprocess, os, urllib.request

    def rows():
        return urllib.request.urlopen(os.environ["TEST_DB_URL"] + "/").read().decode()

    def test_write():
        assert "written" not in rows()
        name = os.environ["COMPOSE_PROJECT_NAME"] + ".db"
        subprocess.run(["docker", "exec", name, "touch", "/data/written"], check=True)
        assert "written" in rows()
"""

FILES = {
    "services/api/deploy/test/docker-compose.yml": compose(
        db=STORE, api=SERVED + "depends_on: [db]\n", web=SERVED
    )
    + "volumes: {data: {}}\n",
    "services/api/tests/integration/test_api.py": WRITES,
    "noxfile.py": "from tasklib.sessions import register\nregister()\n",
}

API = "services/api"


def lives(traces: Traces) -> dict[str, str]:
    return {row["Labels"]["com.docker.compose.service"]: row["Id"] for row in traces.containers()}


@pytest.fixture
def shop(project: NewProject) -> Checkout:
    return project(FILES)


def test_new_stores_for_a_kept_stack(shop: Checkout, traces: Traces) -> None:
    """In every front end: its data is new, what depends on it starts anew, and nothing else."""
    assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
    first = shop.run("tasklib", "test.service")
    assert first.code == 0, first
    assert re.search(r"the stack of api was kept, with data from .* \(`--fresh` renews it\)", first.text)
    before = lives(traces)

    again = shop.run("tasklib", "infra.up", "--name", "api")
    assert re.search(r"with data from .* \(--fresh renews it\)", again.out)
    assert shop.run("tasklib", "test.service").code == 1, "what the first one wrote is there"
    assert lives(traces) == before

    for words in (
        ("tasklib", "test.service", "--fresh"),
        ("pytest", API, "--stack", "own", "--stack-fresh"),
        ("nox", "-s", "service", "--", "--fresh"),
    ):
        ran = shop.run(*words)
        assert ran.code == 0, ran
        assert "with data from" not in ran.text
        now = lives(traces)
        assert now["web"] == before["web"]
        assert not {now["db"], now["api"]} & {before["db"], before["api"]}
        before = now

    renewed = shop.run("tasklib", "infra.up", "--name", "api", "--fresh")
    assert renewed.code == 0, renewed
    assert shop.run("tasklib", "test.service").code == 0
    assert shop.run("tasklib", "infra.down").code == 0


def test_fresh_is_for_tests(shop: Checkout) -> None:
    """The data of dev and prod is not ours to remove."""
    shop.write({"deploy/dev/docker-compose.yml": compose(api=SERVED)})
    ran = shop.run("tasklib", "infra.up", "--env", "dev", "--fresh")
    assert ran.code == 2, ran
    assert "--fresh is for stacks of tests: dev keeps its data" in ran.text


FAILS = "def test_fails(): assert False\n"


def test_the_stack_of_failed_tests_stays(shop: Checkout, traces: Traces, state: Path) -> None:
    """With the line that reaches it, until the next run of it, `infra.down` or its time."""
    shop.write({f"{API}/tests/integration/test_api.py": FAILS})
    failed = shop.run("tasklib", "test.service", "--keep-failed")
    assert failed.code == 1, failed
    project = f"test-feature-{traces.token}_api"
    assert f'{project} stays: `eval "$(tasklib infra.env --name api)"` reaches it' in failed.text
    assert "`tasklib infra.logs`" in failed.text
    assert "or after " in failed.text
    before = lives(traces)
    assert before.keys() == {"db", "api", "web"}
    env = shop.run("tasklib", "infra.env", "--name", "api", "--format", "json")
    assert "TEST_DB_URL" in json.loads(env.out)

    shop.write({f"{API}/tests/integration/test_api.py": "def test_passes(): ...\n"})
    passed = shop.run("tasklib", "test.service", "--keep-failed")
    assert passed.code == 0, passed
    assert lives(traces) == {}

    shop.write({f"{API}/tests/integration/test_api.py": FAILS})
    assert shop.run("tasklib", "test.service", "--keep-failed").code == 1
    assert "took down" in shop.run("tasklib", "infra.down").out
    assert lives(traces) == {}

    assert shop.run("tasklib", "test.service", "--keep-failed").code == 1
    (record,) = state.glob("tasklib/kept*/**/*.json")
    record.write_text(json.dumps({**json.loads(record.read_text()), "until": 1.0}))
    later = shop.run("tasklib", "infra.status")
    assert f"removed {project}, which failed tests had left to be looked at" in later.text
    assert lives(traces) == {}
    assert shop.run("tasklib", "clean").code == 0

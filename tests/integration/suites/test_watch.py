"""--watch: what a saved file touches is tested again, on stacks that stay up and go in the end."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pexpect
import pytest

from ..conftest import NewProject
from ..projects import PYTHON, Checkout, compose
from ..traces import Traces, processes_of, until

SERVED = compose(
    api=f"""
    image: {PYTHON}
    command: python -u -m http.server 8000
    ports: ["8000"]
"""
)

ANSWERS = """
    import os, urllib.request

    def test_answers():
        assert urllib.request.urlopen(os.environ["TEST_API_URL"] + "/").status == 200
        open("written-by-tests", "w").write("the same each time")
"""

FILES = {
    f"services/{name}/{path}": text
    for name in ("api", "web")
    for path, text in {
        "deploy/test/docker-compose.yml": SERVED,
        "tests/integration/test_it.py": ANSWERS,
        "tests/unit/test_it.py": "def test_unit(): ...\n",
    }.items()
} | {"README.md": "# shop\n", ".gitignore": "*.pyc\n__pycache__\n.pytest_cache\nout/\n"}

API = "services/api/tests/integration/test_it.py"


@pytest.fixture
def shop(project: NewProject) -> Checkout:
    return project(FILES)


def lives(traces: Traces) -> set[str]:
    return {row["Id"] for row in traces.containers() if row["State"] == "running"}


def test_a_saved_file_tests_what_it_touches(shop: Checkout, traces: Traces) -> None:
    """The stacks stay the same, ignored files and what tests write themselves start nothing."""
    with shop.during("tasklib", "test.service", "--watch") as running:
        assert until(lambda: running.text.count("watching ") == 1, 120), running.text
        before = lives(traces)
        assert len(before) == 2
        assert "2 passed" in running.text

        shop.write({API: ANSWERS.replace("== 200", "== 404")})
        assert until(lambda: running.text.count("watching ") == 2, 60), running.text
        said = running.text.rpartition("changed: ")[2]
        assert said.startswith(f"{API}: api\n")
        assert "1 failed" in said
        assert "web" not in said

        shop.write({"out/ignored.txt": "x", "README.md": "# shop, again\n"})
        assert until(lambda: "touches none of these tests" in running.text, 60), running.text

        shop.write({API: ANSWERS})
        assert until(lambda: running.text.count("watching ") == 3, 60), running.text
        assert "1 passed" in running.text.rpartition("changed: ")[2]
        assert lives(traces) == before

        running.process.send_signal(signal.SIGINT)
        ran = running.wait()
    assert ran.code == 130, ran
    assert "Traceback" not in ran.text
    assert traces.left() == []


def test_another_compose_file_and_a_mistake_in_it(shop: Checkout, traces: Traces) -> None:
    """What the stack is made from is brought up to date; a mistake is told, and mending it goes on."""
    file = "services/api/deploy/test/docker-compose.yml"
    with shop.during("tasklib", "test.service", "--watch", "--name", "api") as running:
        assert until(lambda: running.text.count("watching ") == 1, 120), running.text
        before = lives(traces)
        shop.write({file: "services: [\n"})
        assert until(lambda: running.text.count("watching ") == 2, 60), running.text
        assert "Traceback" not in running.text
        shop.write({file: SERVED + "    environment: {A: b}\n"})
        assert until(lambda: running.text.count("watching ") == 3, 60), running.text
        assert "1 passed" in running.text.rpartition("changed: ")[2]
        assert not lives(traces) & before
        running.process.send_signal(signal.SIGTERM)
        assert running.wait().code == 130


def test_settings_half_written_and_another_branch(shop: Checkout) -> None:
    """What cannot be read is told and counts with the next change; services come and go with a branch."""
    units = {f"services/{name}/tests/unit/test_it.py": "def test_unit(): ...\n" for name in ("api", "web")}
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    shop.run("git", "checkout", "-qb", "without")
    shop.run("git", "rm", "-rq", "services/web")
    shop.run(*git, "commit", "-qm", "without")
    shop.run("git", "checkout", "-q", "-")
    with shop.during("tasklib", "test.unit", "--watch") as running:
        assert until(lambda: running.text.count("watching ") == 1, 120), running.text
        shop.write({"pyproject.toml": "[tool.tasklib\n"})
        assert until(lambda: "is not valid TOML" in running.text, 60), running.text
        shop.write({"pyproject.toml": "[tool.tasklib]\n"} | units)
        assert until(lambda: running.text.count("watching ") == 2, 60), running.text
        assert "ERROR" not in running.text
        assert "2 passed" in running.text.rpartition("changed: ")[2]

        shop.run("git", "checkout", "-q", "without")
        assert until(lambda: "touches none" in running.text or running.text.count("watching ") == 3, 60)
        shop.run("git", "checkout", "-q", "-")
        assert until(lambda: "web" in running.text.rpartition("changed: ")[2].partition("\n")[0], 60)
        assert until(lambda: "web: 1 passed" in running.text.rpartition("changed: ")[2], 60), running.text
        running.process.send_signal(signal.SIGINT)
        assert running.wait().code == 130


def test_a_killed_watch_leaves_nothing(shop: Checkout, traces: Traces, state: Path) -> None:
    """As any run."""
    running = shop.start("tasklib", "test.service", "--watch", "--name", "api")
    assert until(lambda: "watching " in running.text, 120), running.text
    running.process.kill()
    running.wait()
    assert until(lambda: not processes_of(state), 30)
    assert traces.left() == []


def test_on_a_terminal(shop: Checkout, traces: Traces) -> None:
    """The board of a round, then the line that says what is watched; Ctrl-C ends it."""
    shown = pexpect.spawn(
        sys.executable,
        ["-m", "tasklib", "test", "--watch", "--name", "api"],
        cwd=str(shop.root),
        env=dict(shop.env) | {"TERM": "xterm"},
        encoding="utf-8",
        timeout=120,
        dimensions=(40, 120),
    )
    try:
        shown.expect("watching ")
        shop.write({"services/api/tests/unit/test_it.py": "def test_unit(): assert True\n"})
        shown.expect("changed: services/api/tests/unit/test_it.py: api")
        shown.expect("watching ")
        shown.sendintr()
        shown.expect(pexpect.EOF)
    finally:
        shown.close()
    assert shown.exitstatus == 130
    assert traces.left() == []

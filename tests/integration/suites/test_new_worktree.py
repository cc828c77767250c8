"""A new worktree runs at once: it gets what is listed, and what it lacks is named with what brings it."""

from __future__ import annotations

import shlex

import pytest

from ..conftest import NewProject
from ..projects import PYTHON, Checkout, compose

NEEDS = compose(
    api=f"""
    image: {PYTHON}
    command: python -u -m http.server 8000 --directory /certs
    ports: ["8000"]
    env_file: [../../.env]
    secrets: [token]
    volumes: ["../../certs:/certs:ro"]
"""
)

TESTS = """
    import os, pathlib, urllib.request

    def test_api():
        assert urllib.request.urlopen(os.environ["TEST_API_URL"] + "/dev.pem").read() == b"pem"

    def test_own_file():
        assert pathlib.Path("fixtures/rows.json").read_text() == "[]"
"""

API = "services/api"
IGNORED = {
    f"{API}/.env": "A=1\n",
    f"{API}/certs/dev.pem": "pem",
    f"{API}/token": "t",
    f"{API}/fixtures/rows.json": "[]",
}


@pytest.fixture
def shop(project: NewProject) -> Checkout:
    made = project(
        {
            ".gitignore": ".env\ncerts/\ntoken\nfixtures/\n",
            f"{API}/deploy/test/docker-compose.yml": NEEDS + "secrets: {token: {file: ../../token}}\n",
            f"{API}/tests/integration/test_api.py": TESTS,
            f"{API}/tests/unit/test_api.py": "def test_unit(): ...\n",
        }
    )
    made.write(IGNORED)
    return made


def test_it_gets_what_is_listed(shop: Checkout) -> None:
    """In the first run of any stage, in one line."""
    shop.write({".worktreeinclude": ".env\ncerts/\ntoken\nfixtures/\n"})
    shop.commit()
    other = shop.worktree(f"{shop.branch}-two")
    ran = other.run("tasklib", "test.service")
    assert ran.code == 0, ran
    assert f"{API}/fixtures/rows.json and 1 more from {shop.root}, as .worktreeinclude says" in ran.lines[0]
    again = other.run("tasklib", "infra.up", "--name", "api")
    assert again.code == 0, again
    assert ".worktreeinclude" not in again.text
    assert other.run("tasklib", "infra.down").code == 0
    assert other.is_clean


def test_what_it_lacks_is_named_with_what_brings_it(shop: Checkout) -> None:
    """One after another: each command that is told works, until the tests pass."""
    other = shop.worktree(f"{shop.branch}-two")
    told = []
    for _ in IGNORED:
        ran = other.run("tasklib", "test.service")
        assert ran.code in (1, 2), ran
        command = ran.text.partition("Another checkout has it: `")[2].partition("`")[0]
        assert command.startswith("cp -"), ran
        words = shlex.split(command)
        (other.root / words[-1]).parent.mkdir(parents=True, exist_ok=True)
        assert other.run(*words).code == 0, command
        told.append(words[-1])
    assert told == [f"{API}/.env", f"{API}/token", f"{API}/certs", f"{API}/fixtures/rows.json"]
    passed = other.run("tasklib", "test.service")
    assert passed.code == 0, passed

"""Every command line of README.md and docs/ is typed by a test, or is listed with why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import NewProject
from .lines import ALL_PAGES, DOCS, NOT_RUN, TYPED_ELSEWHERE, command_blocks, command_lines
from .test_pages import FRONT_ENDS, RUN_WHOLE, server

PAGES = tuple(page for page in ALL_PAGES if page not in RUN_WHOLE and any(command_lines(page)))
"""The pages whose lines are typed here."""

TESTS = """
    import os
    from urllib.request import urlopen

    def answers():
        assert urlopen(os.environ["TEST_API_URL"]).status == 200

    test_checkout = test_transactions = answers
"""

PROJECT = {
    **FRONT_ENDS,
    "pyproject.toml": """
        [tool.tasklib.services.web]
        command = ["sh", "tests/run.sh", "{stage}", "{keyword}"]

        [tool.tasklib.services.billing]
        command = ["true"]
        """,
    "services/api/tests/unit/test_a.py": "def test_adds(): assert 1 + 1 == 2\n",
    "services/api/tests/integration/test_b.py": TESTS,
    "services/api/deploy/test/docker-compose.yml": server(""),
    "services/web/tests/run.sh": "echo $1: $2\n",
    "services/web/tests/unit/a": "",
    "services/web/tests/integration/a": "",
    "services/web/deploy/test/docker-compose.yml": server(""),
    "services/billing/tests/unit/a": "",
    "tests/integration/conftest.py": "def pytest_addoption(parser): parser.addoption('--ds')\n",
    "tests/integration/test_c.py": TESTS,
    "deploy/test/docker-compose.yml": server(""),
}
"""What the pages speak of: services `api`, `web` and `billing`, and a full stack."""

KEPT = ("tasklib infra.up", "tasklib infra.up --name api", "tasklib infra.up --name web")
"""Typed before the rest, which then needs no stack of its own."""


def scripts() -> list[str]:
    """Each line once, and a block whose lines belong together as a whole."""
    found: dict[str, None] = {}
    for page in PAGES:
        for block in command_blocks(page):
            lines = [line for line in block if line not in NOT_RUN and line not in TYPED_ELSEWHERE]
            together = any(line.startswith(("eval ", "cd ")) for line in lines)
            found.update(dict.fromkeys(["\n".join(lines)] if together else lines))
    return list(found)


def test_every_line(project: NewProject, engine: object) -> None:
    """As a reader types it, in one project; pytest in a service's folder."""
    made = project(PROJECT)
    for line in KEPT:
        ran = made.run(*line.split())
        assert ran.code == 0, ran
    every = [
        made.run("bash", "-ec", script, cwd="services/api" if script.startswith("pytest ") else "")
        for script in scripts()
    ]
    down = made.run("tasklib", "infra.down")
    assert [str(ran) for ran in (*every, down) if ran.code != 0] == []


def test_what_is_not_typed_is_in_the_docs() -> None:
    """The lists hold no line that no page has any more, and name tests that are there."""
    every = {line for page in ALL_PAGES for line in command_lines(page)}
    assert [line for line in (*NOT_RUN, *TYPED_ELSEWHERE) if line not in every] == []
    assert not set(NOT_RUN) & set(TYPED_ELSEWHERE)
    tests = Path(__file__).resolve().parents[1]
    for line, name in TYPED_ELSEWHERE.items():
        program = next(word for word in line.split() if "." in word)
        text = (tests / name).read_text(encoding="utf-8")
        assert program in text or program.replace(".", " import ") in text, line


@pytest.mark.parametrize("page", RUN_WHOLE)
def test_nothing_is_left_out_of_a_page_that_is_run_whole(page: str) -> None:
    """The two ways to run a page do not mix."""
    assert not {*command_lines(page)} & {*NOT_RUN, *TYPED_ELSEWHERE}


@pytest.mark.parametrize("page", ALL_PAGES)
def test_every_shell_block_has_prompts(page: str) -> None:
    """Lines are found by their prompt: no command stands in a block of another kind."""
    text = (DOCS / page).read_text(encoding="utf-8")
    assert [kind for kind in ("sh", "bash", "shell") if f"```{kind}\n" in text] == []
    assert all(block for block in command_blocks(page))

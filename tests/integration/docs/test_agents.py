"""What coding agents are told to type, typed."""

from __future__ import annotations

from pathlib import Path

import pytest

import tasklib.agents

from ..conftest import NewProject
from .test_pages import FRONT_ENDS, run_page, server

TOLD = Path(tasklib.agents.__file__).parent


@pytest.mark.parametrize("page", ["section.md", "SKILL.md"])
def test_every_line_that_agents_are_told_works(project: NewProject, engine: object, page: str) -> None:
    """In the order of the page, and with nothing on a terminal."""
    served = server("")
    others = served.removeprefix("services:\n")
    made = project(
        {
            **FRONT_ENDS,
            "services/api/tests/unit/test_a.py": "def test_adds(): assert 1 + 1 == 2\n",
            "services/api/tests/integration/test_b.py": """
                import os
                from urllib.request import urlopen

                def test_answers():
                    assert urlopen(os.environ["TEST_API_URL"]).status == 200
                """,
            "services/api/deploy/test/docker-compose.yml": served + others.replace("api:", "db:"),
            "deploy/test/docker-compose.yml": served,
        }
    )
    found = run_page(str(TOLD / page), made, {}, {}, EXPRESSION="answers")
    assert "PASSED" in found["tasklib test --cached"].out
    assert "PASSED" in found["tasklib test.last --failures"].out

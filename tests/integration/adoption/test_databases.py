"""Projects whose tests run on the host against a part of a Compose file."""

from __future__ import annotations

import pytest

from ..conftest import NewProject
from ..projects import PYTHON, compose
from .support import POSTGRES, SPEAKS_POSTGRES, lines_of

LIBRARY = """
[tool.tasklib]
compose.test = "ci/docker/databases.yml"
project-directory = "."
env-files = "ci/db.env"
needs = ["postgres"]
integration = "tests"
"""

CI_FILE = (
    compose(
        postgres=f"""
        image: {POSTGRES}
        ports: ["$DB_PORT:5432"]
        env_file: ci/db.env
        healthcheck: {{test: "pg_isready -U queue", interval: 10s}}
        """,
        proxy=f"""
        image: {PYTHON}
        volumes: ["/var/run/docker.sock:/var/run/docker.sock"]
        """,
        admin="image: no-such-registry.invalid/admin:1",
    )
    + "  mysql:\n    image: no-such-registry.invalid/mysql:8\n    profiles: [mysql]\n"
)


def test_a_library_against_a_database_that_only_ci_starts(project: NewProject, engine: object) -> None:
    """The file lies deep, its paths start at the root, its variables stand in a file of their own, and it
    holds much more than the tests need: none of the rest is pulled, refused or started."""
    assert lines_of(LIBRARY) <= 6
    queue = project(
        {
            "pyproject.toml": LIBRARY,
            "ci/docker/databases.yml": CI_FILE,
            "ci/db.env": "DB_PORT=15432\nPOSTGRES_USER=queue\nPOSTGRES_PASSWORD=queue\nPOSTGRES_DB=queue\n",
            "tests/postgres.py": SPEAKS_POSTGRES,
            "tests/test_queue.py": """
                import os
                from urllib.parse import urlsplit
                from postgres import is_postgres

                def test_queue():
                    url = urlsplit(os.environ["TEST_DATABASE_URL"])
                    assert (url.scheme, url.username, url.path) == ("postgresql", "queue", "/queue")
                    assert is_postgres(url.hostname, url.port)
            """,
        }
    )
    ran = queue.run("tasklib", "test")
    assert ran.code == 0, ran
    assert "1 passed" in ran.text


BACKEND = """
[tool.tasklib]
integration = "tests"
needs = ["db"]
publish = ["db:5432"]
endpoints = { PGHOST = "{db.host}", PGPORT = "{db.port}" }
"""


def test_variables_of_a_host_and_a_port(project: NewProject, engine: object) -> None:
    """The tests read PGHOST and PGPORT; the database's port is only exposed, the proxy's is taken."""
    assert lines_of(BACKEND) <= 6
    backend = project(
        {
            "pyproject.toml": BACKEND,
            "docker-compose.yml": compose(
                db=f"""
                image: {POSTGRES}
                expose: ["5432"]
                environment: {{POSTGRES_PASSWORD: secret}}
                """,
                frontend="image: no-such-registry.invalid/frontend:1",
            ),
            "tests/postgres.py": SPEAKS_POSTGRES,
            "tests/test_backend.py": """
                import os
                from postgres import is_postgres

                def test_backend():
                    assert is_postgres(os.environ["PGHOST"], os.environ["PGPORT"])
            """,
        }
    )
    ran = backend.run("tasklib", "test.integration")
    assert ran.code == 0, ran
    assert "1 passed" in ran.text
    shown = backend.run("tasklib", "infra.config", "--diff")
    assert "`publish` in [tool.tasklib] names it" in shown.text


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('needs = ["dbs"]', "`needs` or `in` names dbs, which is no service of this Compose file"),
        ('publish = ["dbs:5432"]', "`publish` names dbs, which is no service of this stack"),
    ],
)
def test_a_service_that_is_not_there(setting: str, said: str, project: NewProject, engine: object) -> None:
    """Exit 2 with the file, what was meant, and what there is."""
    shop = project(
        {
            "pyproject.toml": f"[tool.tasklib]\nintegration = 'tests'\n{setting}\n",
            "compose.yml": compose(db=f"image: {PYTHON}", cache=f"image: {PYTHON}"),
            "tests/test_a.py": "def test_a(): ...\n",
        }
    )
    ran = shop.run("tasklib", "test.integration")
    assert ran.code == 2, ran
    assert f"compose.yml: {said}" in ran.text
    assert "Did you mean db? Its services are: cache, db." in ran.text


def test_a_missing_env_file_with_an_example_beside_it(project: NewProject, engine: object) -> None:
    """Ignored by git, it is missing in each new worktree: the command that copies it is named."""
    shop = project(
        {
            "compose.yml": compose(db=f"image: {PYTHON}\nenv_file: .env"),
            ".env.example": "A=1\n",
            "tests/integration/test_a.py": "def test_a(): ...\n",
        }
    )
    ran = shop.run("tasklib", "test.integration")
    assert ran.code == 2, ran
    assert f"`cp .env.example .env` in {shop.root}" in ran.text


def test_fixed_addresses_in_tests_are_told_before_anything_starts(
    project: NewProject, engine: object
) -> None:
    """Tests that name the file's host port would reach nothing, or somebody else's stack."""
    shop = project(
        {
            "compose.yml": compose(
                cache=f"""
                image: {PYTHON}
                command: python -m http.server 6379
                ports: ["16379:6379"]
                """
            ),
            "tests/integration/test_cache.py": "URL = '127.0.0.1:16379'\ndef test_cache(): assert URL\n",
        }
    )
    ran = shop.run("tasklib", "test.integration", "--format", "plain")
    assert ran.code == 0, ran
    told = "tests/integration/test_cache.py:1 names 127.0.0.1:16379: port 6379 of cache is a free one here"
    assert told in ran.lines[0]


def test_a_stack_that_is_brought_up_by_hand_is_set_up(project: NewProject, engine: object) -> None:
    """`infra.up` leaves a stack as the tests need it; a setup that fails is a failed start there, too."""
    settings = """
        [tool.tasklib]
        setup = [["sh", "-c", "echo $TEST_API_URL $MODE > done"], { in = "api", run = ["./seed"] }]
        env = { MODE = "seeded" }
    """
    shop = project(
        {
            "pyproject.toml": settings,
            "compose.yml": compose(
                api=f"""
                image: {PYTHON}
                command: python -m http.server 8000
                ports: ["8000"]
                working_dir: /app
                volumes: [".:/app"]
                """
            ),
            "seed": "#!/bin/sh\ncat done > seeded\n",
            "tests/integration/test_a.py": "def test_a(): pass\n",
        }
    )
    (shop.root / "seed").chmod(0o755)
    up = shop.run("tasklib", "infra.up")
    assert up.code == 0, up
    (url,) = [line.partition("=")[2] for line in up.lines if "TEST_API_URL=" in line]
    assert (shop.root / "seeded").read_text() == f"{url} seeded\n"
    shop.write({"seed": "#!/bin/sh\necho no table; exit 5\n"})
    again = shop.run("tasklib", "infra.up")
    assert again.code == 4, again
    assert "its setup `./seed` in api ended with exit code 5: no table" in again.text
    # What was up before stays up.
    assert "api: running" in shop.run("tasklib", "infra.status").text
    assert shop.run("tasklib", "clean").code == 0

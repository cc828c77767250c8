"""What is proposed for small repositories of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import adopted

from .support import proposed, settings_of


def test_a_backend_whose_tests_need_a_part_of_the_root_s_compose_file(tmp_path: Path) -> None:
    """The service's folder, its stack, what is needed of it, the step before, and where variables point."""
    assert settings_of(proposed(tmp_path, adopted.FASTAPI)) == {
        "endpoints": {"POSTGRES_SERVER": "{db.host}", "POSTGRES_PORT": "{db.port}"},
        "services": {
            "backend": {
                "path": "backend",
                "compose": "../docker-compose.yml",
                "needs": ["db"],
                "service": "tests",
                "setup": [["uv", "run", "bash", "scripts/prestart.sh"]],
            }
        },
    }


def test_tests_in_a_container(tmp_path: Path) -> None:
    """`exec` becomes `in`, the migration before it `setup`; the Makefile keeps what is not about tests."""
    proposal = proposed(tmp_path, adopted.DJANGO)
    assert settings_of(proposal) == {
        "in": "web",
        "command": ["python", "manage.py", "test"],
        "setup": [{"in": "web", "run": ["python", "manage.py", "migrate"]}],
    }
    makefile = proposal.files["Makefile"] or ""
    assert "test:\n\ttasklib test.integration\n" in makefile
    assert "up:\n\t$(COMPOSE) up -d" in makefile, "`shell` looks into what it brings up"
    workflow = proposal.files[".github/workflows/ci.yml"] or ""
    assert "- run: pipx run --spec tasklib-stages tasklib test.integration\n" in workflow


def test_a_node_api_with_jest(tmp_path: Path) -> None:
    """The standard folders and a test script need no settings; the address of the database does."""
    proposal = proposed(tmp_path, adopted.NODE)
    assert settings_of(proposal) == {
        "needs": ["postgres"],
        "endpoints": {"DB_HOST": "{postgres.host}", "DB_PORT": "{postgres.port}"},
    }
    workflow = proposal.files[".github/workflows/ci.yml"] or ""
    assert workflow.rstrip().endswith(
        "- run: npm ci\n      - run: pipx run --spec tasklib-stages tasklib test"
    )


def test_a_library_against_databases_that_ci_starts(tmp_path: Path) -> None:
    """The file by its name, the service that is brought up, libpq's variables; CI keeps its coverage."""
    proposal = proposed(tmp_path, adopted.LIBRARY)
    assert settings_of(proposal) == {
        "compose": {"test": "ci/databases.yml"},
        "integration": "tests",
        "needs": ["postgres"],
        "endpoints": {"PGHOST": "{postgres.host}", "PGPORT": "{postgres.port}"},
        "env": {"PGUSER": "queue", "PGPASSWORD": "queue"},
    }
    workflow = proposal.files[".github/workflows/tests.yml"] or ""
    assert "tasklib test.integration -- --cov=queue_ --cov-report=xml\n      - uses" in workflow
    assert "PGHOST" not in workflow


def test_containers_of_a_job_become_a_compose_file(tmp_path: Path) -> None:
    """With the newest image of the matrix, which CI goes on choosing from."""
    proposal = proposed(tmp_path, adopted.CONTAINERS_OF_CI)
    assert "image: redis:7\n" in (proposal.files["deploy/test/docker-compose.yml"] or "")
    assert settings_of(proposal)["endpoints"] == {"REDIS_URL": "redis://{redis:6379}/0"}
    assert ".github/workflows/tests.yml" not in proposal.files
    assert any("its matrix chooses the images" in note.text for note in proposal.notes)


def test_a_demo_in_four_languages(tmp_path: Path) -> None:
    """A service for each, by its own runner; the service whose exit code is the verdict is `in`."""
    assert settings_of(proposed(tmp_path, adopted.DEMO)) == {
        "compose": {"test": "docker-compose.test.yml"},
        "in": "sut",
        "services": {
            "vote": {"path": "vote", "unit": "tests"},
            "result": {"path": "result"},
            "worker": {"path": "worker", "command": ["go", "test", "./..."]},
        },
    }


def test_the_standard_layout_needs_no_settings(tmp_path: Path) -> None:
    """A Makefile of nothing but such targets goes, or stays as a thin front that takes a service's name."""
    proposal = proposed(tmp_path, adopted.SEED)
    assert settings_of(proposal) == {}
    assert proposal.files["Makefile"] is None
    orphans = [str(note.places[0]) for note in proposal.notes if "nothing calls this script" in note.text]
    assert orphans == ["scripts/test-service.sh:1"]
    kept = proposed(tmp_path, adopted.SEED, keep_make=True).files["Makefile"] or ""
    lines = [line.strip() for line in kept.splitlines() if line.startswith("\t")]
    assert lines == [
        "tasklib test.unit",
        "tasklib test.service --name $(SERVICE)",
        "tasklib test.integration",
        "tasklib infra.up",
        "tasklib infra.down",
    ]


def test_a_justfile(tmp_path: Path) -> None:
    """Its recipes become one line, and what is not about tests stays."""
    proposal = proposed(tmp_path, adopted.JUST)
    justfile = proposal.files["justfile"] or ""
    assert "test:\n    tasklib test.integration\n" in justfile
    assert "lint:\n    ruff check\n" in justfile
    assert settings_of(proposal) == {
        "endpoints": {"REDIS_HOST": "{cache.host}", "REDIS_PORT": "{cache.port}"}
    }


def test_a_pipeline_of_gitlab(tmp_path: Path) -> None:
    """A job with an engine beside it: five lines become one. A port that is only inside is published."""
    proposal = proposed(tmp_path, adopted.GITLAB)
    assert settings_of(proposal) == {
        "setup": [["uv", "run", "alembic", "upgrade", "head"]],
        "publish": ["db:5432"],
        "endpoints": {"DATABASE_URL": "postgresql://postgres:secret@{db:5432}/postgres"},
    }
    pipeline = proposal.files[".gitlab-ci.yml"] or ""
    assert "  script:\n    - uvx --from tasklib-stages tasklib test.integration\n\ndeploy:" in pipeline


ENTRYPOINT = {
    "docker-compose.yml": """
        services:
          api:
            image: api
            entrypoint: ["flask", "run"]
            volumes: ["./tests:/tests"]
    """,
    "Makefile": "test:\n\tdocker-compose run --rm --entrypoint=pytest api /tests/unit /tests/e2e\n",
    "tests/unit/test_a.py": "def test_a(): ...\n",
    "tests/e2e/test_b.py": "def test_b(): ...\n",
}


def test_tests_that_start_by_another_entry_point(tmp_path: Path) -> None:
    """A service of its own in a Compose file of its own; the one it is made from stays as it is."""
    proposal = proposed(tmp_path, ENTRYPOINT)
    settings = settings_of(proposal)
    assert settings["compose"]["test"] == ["docker-compose.yml", "docker-compose.tests.yml"]
    assert settings["in"] == "tests"
    assert settings["command"] == ["pytest", "/tests/unit", "/tests/e2e"]
    assert "service: api\n    entrypoint: []\n" in (proposal.files["docker-compose.tests.yml"] or "")


ENVIRONMENT = {
    "compose.yml": "services: {db: {image: postgres:16}, web: {image: $IMAGE}}",
    "env-example": "IMAGE=a\n",
    "Makefile": "test:\n\tdocker compose --env-file env-example --profile e2e run --rm web npm test\n",
}


def test_files_of_variables_and_profiles(tmp_path: Path) -> None:
    """What Compose is called with is what the settings say."""
    settings = settings_of(proposed(tmp_path, ENVIRONMENT))
    assert settings["env-files"] == "env-example"
    assert settings["profiles"] == ["e2e"]
    assert (settings["in"], settings["command"]) == ("web", ["npm", "test"])


SEVERAL = {
    "a.yml": "services: {api: {image: a}}",
    "b.yml": "services: {api: {image: b}}",
    ".github/workflows/e2e.yml": """
        on: [push]
        jobs:
          build:
            steps:
              - run: docker compose -f a.yml up --exit-code-from api
              - run: docker compose -f b.yml up --exit-code-from api
    """,
}


def test_several_stacks_are_a_question(tmp_path: Path) -> None:
    """It is asked with the places that it comes from, and settled by an answer."""
    proposal = proposed(tmp_path, SEVERAL)
    (question,) = proposal.questions
    assert question.key == "compose.test"
    assert [(choice.answer, str(choice.places[0])) for choice in question.choices] == [
        ("a.yml", ".github/workflows/e2e.yml:5"),
        ("b.yml", ".github/workflows/e2e.yml:6"),
    ]
    answered = proposed(tmp_path, SEVERAL, answers={"compose.test": "b.yml"})
    assert answered.questions == ()
    assert settings_of(answered) == {"compose": {"test": "b.yml"}, "in": "api"}


def test_tests_that_nothing_runs_are_a_question(tmp_path: Path) -> None:
    """Beside a Compose file nobody can tell whether they need it."""
    files = {
        "compose.yml": "services: {db: {image: postgres:16}}",
        "pyproject.toml": '[project]\nname = "a"\n',
        "tests/test_a.py": "def test_a(): ...\n",
    }
    (question,) = proposed(tmp_path, files).questions
    assert [choice.answer for choice in question.choices] == ["unit", "integration"]
    assert settings_of(proposed(tmp_path, files, answers={"tests": "unit"})) == {"unit": "tests"}
    assert settings_of(proposed(tmp_path, files, answers={"tests": "integration"})) == {
        "integration": "tests"
    }


def test_a_line_that_does_more_than_testing_stays(tmp_path: Path) -> None:
    """A script of CI that also lints is not cut down to its tests: that is said."""
    files = {
        "compose.yml": "services: {web: {image: a}}",
        "run.sh": "#!/bin/sh\nruff check\ndocker compose run --rm web pytest\n",
        ".github/workflows/ci.yml": "on: [push]\njobs:\n  ci:\n    steps:\n      - run: ./run.sh\n",
    }
    proposal = proposed(tmp_path, files)
    assert ".github/workflows/ci.yml" not in proposal.files
    assert any("`./run.sh` also does `ruff check`" in note.text for note in proposal.notes)


def test_a_noxfile_of_its_own_is_extended(tmp_path: Path) -> None:
    """Its sessions stay; of the same name, its own is the one that counts."""
    files = {
        "noxfile.py": "import nox\n\n\n@nox.session\ndef unit(session):\n    session.run('pytest')\n",
        "tests/unit/test_a.py": "def test_a(): ...\n",
    }
    noxfile = proposed(tmp_path, files).files["noxfile.py"] or ""
    assert "import nox\nfrom tasklib.sessions import register\n\n\n@nox" in noxfile
    call = noxfile.splitlines()[-1]
    assert call.startswith('register("')
    assert '"unit"' not in call


@pytest.mark.parametrize("kind", sorted(adopted.__all__))
def test_every_line_that_changes_has_its_reason_and_its_place(kind: str, tmp_path: Path) -> None:
    """A file that is told of at all is told why, and by which lines of which file, all of which are there."""
    proposal = proposed(tmp_path, getattr(adopted, kind))
    for file in proposal.files:
        reasons = proposal.reasons[file]
        assert reasons, file
        for reason in reasons:
            assert reason.why
            for place in reason.places:
                assert place.line <= len((tmp_path / place.file).read_text().splitlines()), place
    for setting in proposal.settings:
        assert setting.places, setting.keys


def test_tests_that_reach_a_stack_that_somebody_else_brings_up(tmp_path: Path) -> None:
    """CI runs them without one, but they name an address of the Compose file: that is asked."""
    files = {
        "compose.yml": "services: {cache: {image: redis:7, ports: ['6379:6379']}}",
        "pyproject.toml": '[project]\nname = "a"\n',
        "tests/test_a.py": "URL = 'redis://localhost:6379'\n\n\ndef test_a(): ...\n",
        "Makefile": "test:\n\tuv run pytest tests\n",
    }
    (question,) = proposed(tmp_path, files).questions
    assert [(choice.answer, str(choice.places[0])) for choice in question.choices] == [
        ("integration", "tests/test_a.py:1"),
        ("unit", "Makefile:2"),
    ]
    answered = proposed(tmp_path, files, answers={"tests": "integration"})
    assert settings_of(answered) == {"integration": "tests"}
    (note,) = answered.notes
    assert note.text.startswith("tests name localhost:6379, which is another port in each run")
    assert "TEST_CACHE_URL" in note.text


def test_an_option_that_nobody_knows(tmp_path: Path) -> None:
    """What follows it is no folder of tests, since there is none of that name."""
    files = {
        "requirements.txt": "pytest\n",
        "tests/test_a.py": "def test_a(): ...\n",
        "Makefile": "test:\n\tpytest -svvv tests --pg_tag all\n",
    }
    assert settings_of(proposed(tmp_path, files))["unit"]["command"][-2:] == ["--pg_tag", "all"]


@pytest.mark.parametrize(
    ("value", "template"),
    [
        ("Host=localhost;Port=5432;Database=a", "Host={db.host};Port={db.port};Database=a"),
        ("host=127.0.0.1 port=5432 user=a", "host={db.host} port={db.port} user=a"),
        ("postgresql+asyncpg://a:b@localhost/a?x=1", "postgresql+asyncpg://a:b@{db:5432}/a?x=1"),
        ("localhost:5432", "{db:5432}"),
    ],
)
def test_the_forms_of_addresses(value: str, template: str, tmp_path: Path) -> None:
    """URLs, pairs, and a host with its port: what of it is an address becomes one of the stack's."""
    files = {
        "compose.yml": "services: {db: {image: postgres:16, ports: ['5432:5432']}, web: {image: a}}",
        "pyproject.toml": '[project]\nname = "a"\n',
        "tests/test_a.py": "import os\n\nDB = os.environ['DB']\n\n\ndef test_a(): ...\n",
        "Makefile": f"test:\n\tdocker compose up -d db\n\tDB='{value}' uv run pytest tests\n",
    }
    assert settings_of(proposed(tmp_path, files))["endpoints"] == {"DB": template}


def test_a_node_package_all_of_whose_tests_use_the_stack(tmp_path: Path) -> None:
    """vitest would look for unit tests, too: there are none."""
    files = {
        "compose.yml": "services: {db: {image: postgres:16, ports: ['5432:5432']}}",
        "package.json": '{"scripts": {"test": "vitest run"}, "devDependencies": {"vitest": "3"}}',
        "test/queue.test.ts": "",
        ".gitlab-ci.yml": "test:\n  script:\n    - docker compose up -d\n    - npm test\n",
    }
    assert settings_of(proposed(tmp_path, files)) == {"integration": "test", "unit": []}


def _workflow(*steps: str) -> dict[str, str]:
    lines = "".join(f"      - run: {step}\n" for step in steps)
    return {".github/workflows/ci.yml": f"on: [push]\njobs:\n  ci:\n    steps:\n{lines}"}


def test_a_script_that_is_elsewhere_in_the_container(tmp_path: Path) -> None:
    """It is found by the end of its path, and what it comes to makes it tests."""
    files = {
        "compose.yml": "services: {api: {build: ./api}, db: {image: postgres:16}}",
        "api/tests-start.sh": "#!/bin/sh\npython wait.py\nbash ./scripts/test.sh\n",
        "api/scripts/test.sh": "#!/bin/sh\ncoverage run -m pytest\n",
        "scripts/test.sh": "#!/bin/sh\ndocker compose exec -T api bash /app/tests-start.sh\n",
        **_workflow("docker compose up -d", "docker compose exec -T api bash /app/tests-start.sh"),
    }
    proposal = proposed(tmp_path, files)
    assert settings_of(proposal) == {"in": "api", "command": ["bash", "/app/tests-start.sh"]}
    assert "      - run: pipx run" in (proposal.files[".github/workflows/ci.yml"] or "")


@pytest.mark.parametrize("step", ["docker compose exec -T api lint", "docker compose cp api:/a ."])
def test_a_job_that_uses_the_stack_for_more_stays(step: str, tmp_path: Path) -> None:
    """Without `up` its other steps would fail."""
    files = {
        "compose.yml": "services: {api: {image: a}}",
        **_workflow("docker compose up -d", "docker compose exec -T api pytest", step),
    }
    proposal = proposed(tmp_path, files)
    assert settings_of(proposal) == {"in": "api", "command": ["pytest"]}
    assert ".github/workflows/ci.yml" not in proposal.files
    assert any(f"`{step}` uses the stack, too" in note.text for note in proposal.notes)


def test_a_matrix_of_folders(tmp_path: Path) -> None:
    """Each of them is a service, tested as its row says."""
    matrix = """
        on: [push]
        jobs:
          unit:
            strategy:
              matrix:
                include:
                  - {service: api, cmd: pip install pytest && pytest}
                  - {service: worker, cmd: go test ./...}
            steps:
              - run: ${{ matrix.cmd }}
                working-directory: ${{ matrix.service }}
    """
    files = {
        ".github/workflows/ci.yml": matrix,
        "api/requirements.txt": "",
        "api/tests/test_a.py": "",
        "worker/go.mod": "module w\n",
    }
    assert settings_of(proposed(tmp_path, files))["services"] == {
        "api": {"path": "api", "unit": "tests"},
        "worker": {"path": "worker", "command": ["go", "test", "./..."]},
    }


def test_hooks_of_npm_that_bring_up_the_stack(tmp_path: Path) -> None:
    """The script's own command is run, without what npm would do around it; the migration is setup."""
    scripts = """
        {"scripts": {
          "test:int": "dotenv -e .env.test -- jest -c int.js",
          "pretest:int": "docker compose up -d && sleep 3 && dotenv -e .env.test -- prisma migrate deploy",
          "posttest:int": "docker compose down"
        }}
    """
    files = {
        "compose.yml": "services: {pg: {image: postgres:16, ports: ['5433:5432']}}",
        ".env.test": "DATABASE_URL=postgresql://a:b@localhost:5433/tests\n",
        "src/db.js": "module.exports = process.env.DATABASE_URL\n",
        "package.json": scripts,
        **_workflow("npm ci", "npm run test:int"),
    }
    assert settings_of(proposed(tmp_path, files)) == {
        "integration": {"command": ["npx", "jest", "-c", "int.js"]},
        "setup": [["npx", "prisma", "migrate", "deploy"]],
        "endpoints": {"DATABASE_URL": "postgresql://a:b@{pg:5432}/tests"},
    }


def test_a_loop_that_waits_goes_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    """Half of a loop is no script."""
    body = ("for i in 1 2; do", "  docker compose exec -T db pg_isready && break", "done")
    loop = "".join(["|\n", *(f"          {line}\n" for line in body)])
    files = {
        "compose.yml": "services: {db: {image: postgres:16, ports: ['5432:5432']}}",
        "pyproject.toml": '[project]\nname = "a"\n',
        "tests/integration/test_a.py": "def test_a(): ...\n",
    }
    whole = _workflow("docker compose up -d", loop.rstrip(), "uv run pytest tests/integration")
    workflow = proposed(tmp_path / "whole", files | whole).files[".github/workflows/ci.yml"] or ""
    assert workflow.split("steps:\n")[1] == (
        "      - run: uvx --from tasklib-stages tasklib test.integration\n"
    )
    more = f"{loop}          ./notify.sh"
    half = _workflow("docker compose up -d", more, "uv run pytest tests/integration")
    proposal = proposed(tmp_path / "half", files | half)
    assert ".github/workflows/ci.yml" not in proposal.files
    assert any("its lines are left to you" in note.text for note in proposal.notes)

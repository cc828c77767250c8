"""What other people's repositories do, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.adopt.answered import reason
from tests import adopted

from .support import proposed, settings_of

POSTGRES = """services:
  db:
    image: postgres:16
    ports: ['5432:5432']
    environment: {POSTGRES_PASSWORD: p}
"""
SETTINGS = "class Config(BaseSettings):\n    DB_URL: str = 'postgresql://u:p@localhost:5432/db'\n"
TEST = {"tests/test_a.py": "def test_a(): pass\n"}


def test_a_target_that_reports_coverage_for_people_stays(tmp_path: Path) -> None:
    """What makes the page of coverage is nothing that a stage does."""
    make = "test:\n\tpytest tests\n\ncov:\n\tcoverage run -m pytest\n\tcoverage html\n"
    text = proposed(tmp_path, {"Makefile": make, **TEST}).files["Makefile"]
    assert text == make.replace("\tpytest tests\n", "\ttasklib test.unit\n")


def test_what_a_target_asks_pytest_to_report_stays(tmp_path: Path) -> None:
    """Somebody reads it."""
    make = "all: build\n\ttrue\n\ntest:\n\tpytest --cov=shop --cov-report=xml tests\n"
    text = proposed(tmp_path, {"Makefile": make, **TEST}).files["Makefile"]
    assert text is not None
    assert text.endswith("\ttasklib test.unit -- --cov=shop --cov-report=xml\n")


def test_a_target_that_only_speaks_is_nothing_of_tests(tmp_path: Path) -> None:
    """Though a Compose file has a service of tests that nothing calls."""
    stack = POSTGRES + "  tests:\n    build: .\n    command: pytest\n"
    make = "done:\n\t@echo finished\n\t@printf more\n"
    proposal = proposed(tmp_path, {"Makefile": make, "docker-compose.yml": stack, **TEST})
    assert "Makefile" not in proposal.files
    assert settings_of(proposal)["in"] == "tests"


def test_an_emulator_that_tests_use_is_no_test(tmp_path: Path) -> None:
    """Its name says tests; it holds no code of the project and opens a port."""
    stack = "services:\n  store-tests:\n    image: emulator:1\n    ports: ['8787:8787']\n"
    proposal = proposed(tmp_path, {"docker-compose.yml": stack, "src/a_test.go": "", "go.mod": "module a"})
    assert "in" not in settings_of(proposal)


def test_a_stack_in_front_whose_service_runs_the_tests(tmp_path: Path) -> None:
    """`docker compose up` with a file that gives the service another command, and no option at all."""
    files = {
        "docker-compose.yml": "services: {app: {build: ., depends_on: [mongo]}, mongo: {image: mongo}}",
        "docker-compose.test.yml": "services:\n  app:\n    command: yarn test\n",
        "package.json": '{"scripts": {"test": "jest", "docker:test": '
        '"docker-compose -f docker-compose.yml -f docker-compose.test.yml up"}}',
        "tests/integration/a.test.js": "test('a', () => {})\n",
    }
    found = settings_of(proposed(tmp_path, files))
    assert found["compose"]["test"] == ["docker-compose.yml", "docker-compose.test.yml"]
    assert found["in"] == "app"


@pytest.mark.parametrize(
    "loop",
    [
        "\tfor S in web core; do (cd src/$$S && uv run pytest -p no:warnings); done\n",
        '\tfor S in "web" "core"; \\\n\tdo \\\n\t(cd src/$$S && uv run pytest -p no:warnings); \\\n\tdone\n',
    ],
)
def test_a_loop_over_folders_is_those_folders(loop: str, tmp_path: Path) -> None:
    """And not all that there are."""
    tests = {f"src/{name}/tests/test_a.py": "" for name in ("web", "core", "other")}
    found = settings_of(proposed(tmp_path, {"Makefile": f"test:\n{loop}", **tests}))
    assert {"web", "core"} <= {*found["services"]}
    assert "command" not in found["services"].get("other", {}).get("unit", {})


def test_a_loop_of_several_lines_in_a_workflow(tmp_path: Path) -> None:
    """Each turn is a run of its own."""
    workflow = (
        "jobs:\n  test:\n    steps:\n      - run: |\n          for s in web core; do\n"
        "            (cd $s && pytest -n 2 tests)\n          done\n"
    )
    files = {".github/workflows/t.yml": workflow, "web/tests/test_a.py": "", "core/tests/test_b.py": ""}
    assert {*settings_of(proposed(tmp_path, files))["services"]} == {"web", "core"}


def test_variables_that_are_set_for_tests_without_a_stack(tmp_path: Path) -> None:
    """The code reads them, so they have to be there."""
    files = {
        "Makefile": "test:\n\tMODE=test PAGER=cat pytest tests -s\n",
        "shop/config.py": "import os\nMODE = os.environ['MODE']\n",
        **TEST,
    }
    assert settings_of(proposed(tmp_path, files)) == {"unit": "tests", "env": {"MODE": "test"}}


def test_code_that_falls_back_to_a_port_of_the_stack_is_a_question(tmp_path: Path) -> None:
    """People type `pytest`; whether they brought up the database before, nobody says."""
    files = {
        "Makefile": "test:\n\tpytest tests\n",
        "docker/docker-compose.yml": POSTGRES,
        "shop/config.py": SETTINGS,
        **TEST,
    }
    (question,) = proposed(tmp_path, files).questions
    assert question.choices[0].places[0].file == "shop/config.py"
    found = settings_of(proposed(tmp_path, files, answers={"tests": "integration"}))
    assert found["compose"]["test"] == "docker/docker-compose.yml"
    assert found["endpoints"] == {"DB_URL": "postgresql://u:p@{db:5432}/db"}


def test_what_ci_tests_without_a_stack_is_no_question(tmp_path: Path) -> None:
    """It has shown that nothing is needed."""
    files = {
        ".github/workflows/t.yml": "jobs:\n  t:\n    steps:\n      - run: pytest tests\n",
        "docker-compose.yml": POSTGRES,
        "shop/config.py": SETTINGS,
        **TEST,
    }
    assert not proposed(tmp_path, files).questions


def test_a_list_of_addresses(tmp_path: Path) -> None:
    """Each of those that mean something in the stack is filled in."""
    urls = "sqlite:///x, postgresql://u:p@localhost:5432/a, mysql://u:p@127.0.0.1:3306/b"
    files = {
        ".github/workflows/t.yml": "jobs:\n  t:\n    steps:\n      - run: docker compose up -d\n"
        f"      - run: pytest tests\n        env:\n          URLS: {urls}\n",
        "docker-compose.yml": POSTGRES + "  sql:\n    image: mysql:8\n    ports: ['3306:3306']\n",
        "tests/test_a.py": "import os\nURLS = os.environ['URLS']\n",
    }
    assert settings_of(proposed(tmp_path, files))["endpoints"] == {
        "URLS": "sqlite:///x, postgresql://u:p@{db:5432}/a, mysql://u:p@{sql:3306}/b"
    }


def test_tests_told_for_inside_a_container_are_no_unit_tests(tmp_path: Path) -> None:
    """CI runs the Makefile's target in a container; that its lines stand in the Makefile is no other way."""
    files = {
        ".github/workflows/t.yml": "jobs:\n  t:\n    steps:\n"
        "      - run: docker compose up -d\n      - run: docker compose exec -T web make coveragetest\n",
        "Makefile": "dir = shop\ntest:\n\tpytest $(dir)\n\ncoveragetest:\n\tpytest --cov=shop $(dir)\n",
        "docker-compose.yml": POSTGRES + "  web:\n    build: .\n",
        "shop/test_a.py": "",
    }
    proposal = proposed(tmp_path, files)
    assert settings_of(proposal) == {"in": "web", "command": ["make", "coveragetest"]}
    assert "Makefile" not in proposal.files


@pytest.mark.parametrize(
    "call", ["$(shell which docker-compose)", "$(shell command -v docker-compose 2> /dev/null)"]
)
def test_compose_by_the_path_that_a_shell_finds(call: str, tmp_path: Path) -> None:
    """A variable of the Makefile that asks where it is."""
    files = {
        "Makefile": f"DC := {call}\ntest:\n\t$(DC) run --rm web pytest tests\n",
        "docker-compose.yml": POSTGRES + "  web:\n    build: .\n",
        **TEST,
    }
    assert settings_of(proposed(tmp_path, files))["in"] == "web"


def test_a_makefile_in_parts(tmp_path: Path) -> None:
    """What another includes starts where that one is."""
    files = {
        "Makefile": "include make/test.mk\n",
        "make/test.mk": "test:\n\tcd backend && pytest -n 4 tests\n",
        ".github/workflows/t.yml": "jobs:\n  t:\n    steps:\n      - run: make test\n",
        "backend/tests/test_a.py": "",
    }
    assert settings_of(proposed(tmp_path, files))["services"]["backend"]["path"] == "backend"


def test_the_jobs_of_circleci(tmp_path: Path) -> None:
    """With commands of its own and a container beside; what becomes of the job is left to its people."""
    circle = """commands:
  tested:
    steps:
      - run: {name: Tests, command: pytest tests}
jobs:
  build:
    docker:
      - image: cimg/python:3.12
      - image: redis:7
        environment: {A: b}
    environment: {REDIS_URL: "redis://localhost:6379"}
    steps: [checkout, tested]
"""
    files = {".circleci/config.yml": circle, "tests/test_a.py": "import os\nos.environ['REDIS_URL']\n"}
    proposal = proposed(tmp_path, files)
    assert settings_of(proposal)["endpoints"] == {"REDIS_URL": "redis://{redis:6379}"}
    assert "image: redis:7" in (proposal.files["deploy/test/docker-compose.yml"] or "")
    assert ".circleci/config.yml" not in proposal.files


def test_what_only_the_readme_says(tmp_path: Path) -> None:
    """Its blocks of shell count where nothing else tests anything."""
    readme = (
        "# Shop\n\n```sh\n$ docker compose up -d --build\nStarted\n```\n\nTests:\n\n```console\n"
        "$ docker compose exec web python -m pytest .\n2 passed\n```\n\n```python\nimport pytest\n```\n"
    )
    files = {"README.md": readme, "docker-compose.yml": POSTGRES + "  web:\n    build: .\n", **TEST}
    found = settings_of(proposed(tmp_path, files))
    assert (found["in"], found["command"]) == ("web", ["python", "-m", "pytest", "."])
    files["Makefile"] = "test:\n\tpytest tests\n"
    assert settings_of(proposed(tmp_path / "other", files)) == {"unit": "tests"}


def test_tests_of_other_languages_that_ask_for_nothing_are_no_question(tmp_path: Path) -> None:
    """A package of Go beside a stack: only what reads an address may need it."""
    files = {
        "docker-compose.yml": POSTGRES,
        "money/go.mod": "module m",
        "money/sum/a_test.go": "package sum\n",
    }
    assert not proposed(tmp_path, files).questions
    files["money/sum/a_test.go"] = 'package sum\nvar u = os.Getenv("DATABASE_URL")\n'
    assert proposed(tmp_path / "other", files).questions


def test_tests_that_are_called_for_the_stack(tmp_path: Path) -> None:
    """By their file's name, where their folder says nothing."""
    files = {
        "docker-compose.yml": POSTGRES,
        "web/go.mod": "module m",
        "web/tests/e2e_test.go": "package tests\n",
    }
    found = settings_of(proposed(tmp_path, files))["services"]["web"]
    assert found["service"] == {"command": ["go", "test", "./tests/..."]}


def test_runs_that_watch_are_none(tmp_path: Path) -> None:
    """They never end, and are not worth a word."""
    scripts = '{"scripts": {"test:dev": "jest --watch", "test:again": "jest --watchAll", "test": "jest"}}'
    proposal = proposed(tmp_path, {"package.json": scripts, "tests/unit/a.test.js": ""})
    assert (proposal.notes, settings_of(proposal)) == ((), {})


def test_a_script_called_test_comes_first(tmp_path: Path) -> None:
    """Then the one of unit tests; what is special is not the tests."""
    scripts = '{"scripts": {"test:a11y": "jest __tests__/a11y/", "test:unit": "jest __tests__/unit/"}}'
    files = {"package.json": scripts, "__tests__/unit/a.test.js": "", "__tests__/a11y/b.test.js": ""}
    assert settings_of(proposed(tmp_path, files))["unit"]["paths"] == "__tests__/unit"


def test_many_runs_that_are_left_are_said_once(tmp_path: Path) -> None:
    """A suite in slices of a workflow."""
    runs = "".join(f"      - run: pytest --browser firefox -m slice{n}\n" for n in range(6))
    files = {".github/workflows/t.yml": f"jobs:\n  t:\n    steps:\n{runs}      - run: pytest tests\n", **TEST}
    (note,) = proposed(tmp_path, files).notes
    assert (note.text, len(note.places)) == ("not taken over: 6 more runs of pytest", 6)


def test_a_target_for_other_files_is_no_stack_of_the_tests(tmp_path: Path) -> None:
    """`infra.up` brings up what the tests use, in the background."""
    make = (
        "test:\n\tdocker compose up -d db\n\tpytest tests\n\ntest-fuzz-up:\n"
        "\tdocker compose -f fuzz/compose.yaml up -d\n\ntest-show:\n\tdocker compose up\n"
    )
    files = {"Makefile": make, "docker-compose.yml": POSTGRES, "fuzz/compose.yaml": POSTGRES, **TEST}
    text = proposed(tmp_path, files).files["Makefile"] or ""
    assert "infra.up" not in text
    assert "tasklib test.integration" in text


@pytest.mark.parametrize(
    "kind", [name for name, files in vars(adopted).items() if name.isupper() and isinstance(files, dict)]
)
def test_a_second_adoption_proposes_nothing(kind: str, tmp_path: Path) -> None:
    """What was written is what is wanted."""
    first = proposed(tmp_path, getattr(adopted, kind))
    for name, text in first.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
    assert dict(proposed(tmp_path, {}).files) == {}


def test_why_tests_cannot_be_collected() -> None:
    """The cause that an installer ends with, not what it did before."""
    uv = "Building shop\n  \u00d7 Failed to build `shop`\n  \u2570\u2500\u25b6 No file\n"
    assert reason(uv) == "Failed to build `shop`: No file"
    assert reason("error: cannot resolve\n  Caused by: a\n  Caused by: no network\n") == (
        "error: cannot resolve: no network"
    )
    assert reason("error: none\n  cause: a\n  cause: b\n\n     [stderr]\n") == "error: none: b"
    assert reason("") == ""


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    """The settings that came of it stay as they are."""
    files = {"compose.yml": POSTGRES, **TEST}
    first = proposed(tmp_path, files, answers={"tests": "integration"})
    again = proposed(tmp_path, {name: text or "" for name, text in first.files.items()})
    assert (again.questions, dict(again.files)) == ((), {})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Traceback (most recent call last):\n  File 'a.py'\nKeyError: 'SITE_URL'\n", "KeyError: 'SITE_URL'"),
        (
            "Traceback (most recent call last):\n  x\nOSError: a\n\nDuring handling\n"
            "Traceback (most recent call last):\n  y\ndjango.core.exceptions.ImproperlyConfigured: set it\n",
            "django.core.exceptions.ImproperlyConfigured: set it",
        ),
        ("Traceback (most recent call last):\n  File 'a.py'\n", "Traceback (most recent call last):"),
    ],
)
def test_of_a_traceback_the_error_is_told(said: str, told: str) -> None:
    """Its first line says nothing."""
    assert reason(said) == told

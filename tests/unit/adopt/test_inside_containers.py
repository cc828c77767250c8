"""Tests that a repository runs in a container, however it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.adopt.composing import ComposeCall
from tasklib.adopt.containers import exec_call
from tasklib.adopt.evidence import Command, ComposeService, Evidence, Place, StackFile

from .support import proposed, settings_of

PLACE = Place("Makefile", 1)
STACK = """services:
  web: {build: ., depends_on: [db]%s}
  db: {image: postgres:16}
"""
DJANGO = {"manage.py": "", "shop/tests.py": "class A: pass\n", "requirements.txt": "django\n"}
TEST = "python manage.py test"


@pytest.mark.parametrize(
    ("named", "line"),
    [
        pytest.param("", f"docker exec shop-web-1 {TEST}", id="Compose's own name"),
        pytest.param("", f"docker exec -it shop_web_1 {TEST}", id="that of earlier ones"),
        pytest.param(
            ", container_name: the_shop", f"docker container exec -t the_shop {TEST}", id="a given one"
        ),
        pytest.param(
            ", container_name: '${X:-the_shop}'", f"docker exec the_shop {TEST}", id="by a variable"
        ),
        pytest.param("", f"docker exec $(docker compose ps -q web) {TEST}", id="asked for"),
        pytest.param(
            "", f"docker exec `docker-compose -f docker-compose.yml ps -q web` {TEST}", id="in ticks"
        ),
    ],
)
def test_docker_exec_in_a_container_of_the_stack(named: str, line: str, tmp_path: Path) -> None:
    """It is what Compose's own `exec` is."""
    files = {
        "docker-compose.yml": STACK % named,
        "Makefile": f"test:\n\t{line.replace('$', '$$')}\n",
        **DJANGO,
    }
    assert settings_of(proposed(tmp_path, files)) == {"in": "web", "command": TEST.split()}


@pytest.mark.parametrize(
    ("words", "service"),
    [
        ("docker exec shop-api-1 pytest", "api"),
        ("docker exec shop-auth-api-1 pytest", "auth-api"),
        ("docker exec api pytest", "api"),
        ("docker exec -e A=b -w /app shop_api_1 pytest", "api"),
        ("docker exec elsewhere pytest", ""),
        ("docker exec", ""),
        ("docker run api pytest", ""),
        ("docker", ""),
        ("podman exec api pytest", ""),
    ],
)
def test_whose_container_it_is(words: str, service: str) -> None:
    """Of a name that two services could have, the longer one is meant."""
    services = {name: ComposeService(PLACE, name) for name in ("api", "auth-api")}
    evidence = Evidence("shop", stacks={"compose.yaml": StackFile("compose.yaml", services)})
    call = exec_call(Command(PLACE, tuple(words.split())), evidence)
    assert (call.service if isinstance(call, ComposeCall) else "") == service


@pytest.mark.parametrize(
    "command",
    [
        "'bash -c \"python manage.py migrate && pytest tests -s\"'",
        '[sh, -c, "python manage.py migrate && pytest tests"]',
        '>\n      sh -c "./wait-for-it.sh db:5432 --\n      npm test"',
        "pytest tests",
    ],
)
def test_a_stack_whose_service_ends_with_its_tests(command: str, tmp_path: Path) -> None:
    """What it does before them it does by itself."""
    checks = f"  checks:\n    build: .\n    ports: ['80:80']\n    command: {command}\n"
    stack = f"services:\n{checks}  db: {{image: postgres}}\n"
    make = "test:\n\tdocker-compose -f stacks/ci.yml up --build --abort-on-container-exit\n"
    files = {"stacks/ci.yml": stack, "Makefile": make, "tests/test_a.py": "", "requirements.txt": ""}
    assert settings_of(proposed(tmp_path, files)) == {"compose": {"test": "stacks/ci.yml"}, "in": "checks"}


def test_a_target_that_tests_in_the_container(tmp_path: Path) -> None:
    """What it comes to there are Django's tests, measured; the same outside is none of its own."""
    line = "python -m coverage run --source=. --module manage test -v 2"
    make = f"ci: test\n\tcoverage report\n\ntest:\n\t{line}\n"
    ci = "jobs: {t: {steps: [{run: docker compose run --rm web make ci}]}}\n"
    files = {"docker-compose.yml": STACK % "", "Makefile": make, ".github/workflows/t.yml": ci, **DJANGO}
    assert settings_of(proposed(tmp_path, files)) == {"in": "web", "command": ["make", "ci"]}


@pytest.mark.parametrize(
    "line",
    [
        "python -m manage test",
        "python -m django test",
        "coverage run manage.py test",
        "python -m coverage run --module manage test --verbosity 2",
    ],
)
def test_django_started_as_a_module(line: str, tmp_path: Path) -> None:
    """Its tests are run as they are."""
    files = {"Makefile": f"test:\n\t{line}\n", **DJANGO}
    command = settings_of(proposed(tmp_path, files))["command"]
    assert command[-len(line.split()) :] in (line.split(), ["python", *line.split()])


def test_the_script_that_the_container_runs_is_not_run_outside_of_it(tmp_path: Path) -> None:
    """`npm test` of the package is what the service does: without the stack it would fail."""
    files = {
        "docker-compose.yml": "services: {app: {build: .}, mongo: {image: mongo}}",
        "docker-compose.test.yml": "services:\n  app: {command: yarn test}\n",
        "package.json": '{"scripts": {"test": "jest -i", "docker:test": '
        '"docker-compose -f docker-compose.yml -f docker-compose.test.yml up"}}',
        "yarn.lock": "",
        "tests/unit/a.test.js": "test('a', () => {});",
        "tests/integration/b.test.js": "test('b', () => {});",
    }
    found = settings_of(proposed(tmp_path, files))
    assert (found["in"], found["unit"]) == ("app", [])
    assert "integration" not in found


def test_a_step_that_is_a_hidden_file_of_make(tmp_path: Path) -> None:
    """A target whose name begins with a dot is one, where it is not make's own."""
    make = (
        ".PHONY: test\n.DEFAULT: x\n.c.o:\n\tcc\n\n.state/db: compose.yaml\n"
        "\tdocker compose run --rm web python manage.py migrate\n\ttouch .state/db\n\n"
        f"test: .state/db\n\tdocker compose run --rm web {TEST}\n"
    )
    found = settings_of(proposed(tmp_path, {"compose.yaml": STACK % "", "Makefile": make, **DJANGO}))
    assert found["setup"] == [{"in": "web", "run": ["python", "manage.py", "migrate"]}]

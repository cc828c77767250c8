"""Repositories that know nothing of tasklib, adopted by `new.adopt --write`: their tests run as they did."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import docker
import pytest

from tests import adopted

from ..conftest import NewProject
from ..projects import Checkout

_STAGES = ("nox", "-s", "unit", "service", "integration")


def adopt(repository: Checkout) -> None:
    """Look first, which changes nothing; then write it, and commit it as people do."""
    shown = repository.run("tasklib", "new.adopt")
    assert shown.code == 0, shown
    assert "nothing is written yet" in shown.text
    assert repository.is_clean
    written = repository.run("tasklib", "new.adopt", "--write")
    assert written.code == 0, written
    assert "wrote " in written.text
    repository.commit()


KINDS = {
    "a FastAPI backend with one Compose file": (adopted.FASTAPI, "2 passed", {}),
    "a Django project tested in its container": (adopted.DJANGO, "1 passed", {}),
    "a Node API with jest": (adopted.NODE, "1 passed", {}),
    "a library against CI's databases": (adopted.LIBRARY, "1 passed", {}),
    "a library against CI's own containers": (
        adopted.CONTAINERS_OF_CI,
        "1 passed",
        {"redis:7": "REDIS_IMAGE"},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_stages_run_at_once(kind: str, project: NewProject, engine: object) -> None:
    """Where the repository's own tests ran before, `nox -s unit service integration` runs them."""
    files, said, images = KINDS[kind]
    repository = project(files)
    adopt(repository)
    _take_stand_ins(repository, images)
    ran = repository.run(*_STAGES)
    assert ran.code == 0, ran
    assert said in ran.text, ran


def test_a_demo_in_four_languages(project: NewProject, engine: object, tmp_path: Path) -> None:
    """Each service by its own runner, and all of it by the service that is its test."""
    programs = tmp_path / "programs"
    programs.mkdir()
    go = programs / "go"
    go.write_text('#!/bin/sh\ntest "$*" = "test ./..." && test -f go.mod\n')
    go.chmod(0o755)
    repository = project(adopted.DEMO)
    adopt(repository)
    path = os.pathsep.join([str(programs), repository.env["PATH"]])
    ran = repository.run(*_STAGES, env={"PATH": path})
    assert ran.code == 0, ran
    for target in ("unit vote", "unit result", "unit worker", "integration"):
        assert target.split()[-1] in ran.text, ran


def test_what_is_shown_can_be_applied_by_git(project: NewProject, engine: object) -> None:
    """The printed diff is a patch: `git apply` makes of it what --write does."""
    repository = project(adopted.LIBRARY)
    shown = repository.run("tasklib", "new.adopt")
    assert "(1 test)" in shown.text, shown
    assert "the full stack renders and isolates: postgres" in shown.text, shown
    patch = repository.root.with_name("adopt.patch")
    patch.write_text(shown.out)
    repository.git("apply", str(patch))
    applied = _contents(repository.root)
    repository.git("checkout", "--", ".")
    repository.git("clean", "-fdq")
    repository.run("tasklib", "new.adopt", "--write")
    assert _contents(repository.root) == applied
    again = repository.run("tasklib", "new.adopt")
    assert again.code == 0, again
    assert "nothing to change" in again.text


def _contents(root: Path) -> Mapping[str, str]:
    files = (
        path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts
    )
    return {str(path.relative_to(root)): path.read_text() for path in files}


def _take_stand_ins(repository: Checkout, images: Mapping[str, str]) -> None:
    """What stands in for official images where they cannot be pulled."""
    for path in repository.root.glob("deploy/test/*.yml"):
        text = path.read_text()
        for image, variable in images.items():
            text = text.replace(image, os.environ.get(variable, image))
        path.write_text(text)
    if images:
        repository.commit()


_LISTS = "#!/bin/sh\ntest -e /sys/class/net/eth0 || touch /app/left 2>/dev/null || echo 'test_a.py::test_a'\n"


@pytest.mark.parametrize(
    ("service", "step", "told"),
    [
        ("listed", "COPY --chmod=755 pytest /usr/local/bin/", "in listed (1 test)"),
        ("broken", "RUN exit 3", "in broken (not collected: Dockerfile:"),
    ],
)
def test_tests_of_a_container_are_collected_in_its_image(
    service: str, step: str, told: str, project: NewProject, engine: docker.APIClient
) -> None:
    """It is built for that, without a stack; it writes to no folder and goes. What does not build is said."""
    files = {
        "docker-compose.yml": f"""
services:
  {service}:
    build: .
    networks: [a]
    volumes: ["data:/data", ".:/app"]
    depends_on: [none]
  none:
    image: no-such-registry.invalid/none:1
networks: {{a: {{}}}}
volumes: {{data: {{}}}}
""",
        "Dockerfile": f"FROM {os.environ.get('PYTHON_IMAGE', 'python:3.12-slim')}\n{step}\n",
        "pytest": _LISTS,
        "Makefile": f"test:\n\tdocker compose run --rm {service} pytest tests\n",
        "tests/test_a.py": "def test_a(): ...\n",
    }
    shown = project(files).run("tasklib", "new.adopt")
    assert shown.code == 0, shown
    assert told in shown.text, shown
    there = [name for container in engine.containers(all=True) for name in container["Names"]]
    there += [tag for image in engine.images() for tag in image["RepoTags"] or ()]
    assert [name for name in there if "adopt-" in name and service in name] == []

"""The files of a new project, in every layout and of every kind."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import yaml

from tasklib.doctor.examination import examine
from tasklib.doctor.rules import RULES
from tasklib.errors import UsageError
from tasklib.new.answers import Answers, Kind, NewService
from tasklib.new.creation import write
from tasklib.new.rendering import rendered
from tasklib.release.workflows.files import Forge

from .shared import Render, shared_between_workers


def every_project() -> Iterator[Answers]:
    """Each kind alone in both layouts, and each kind before and after another one."""
    for kind in Kind:
        yield Answers("1.2.0", "shop", (NewService("shop", kind),), single=True, ci=Forge.GITHUB)
        yield Answers("1.2.0", "shop", (NewService("api", kind),), ci=Forge.GITHUB)
    pairs = ("python python", "python node", "node command", "command python")
    for first, second in map(str.split, pairs):
        services = (NewService("of-one", Kind(first)), NewService("of-two", Kind(second)))
        yield Answers("1.2.0", "shop", services, ci=Forge.GITEA)


def called(answers: Answers) -> str:
    return ("single " if answers.single else "") + "+".join(service.kind for service in answers.services)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Render:
    return shared_between_workers(tmp_path_factory)


@pytest.fixture(params=every_project(), ids=called)
def files(request: pytest.FixtureRequest, made: Render) -> Mapping[str, str]:
    return made(request.param)


@pytest.fixture
def project(files: Mapping[str, str], tmp_path: Path) -> Path:
    write(tmp_path, files)
    return tmp_path


@pytest.fixture
def projects(made: Render, tmp_path: Path) -> Path:
    """All of them side by side, each in the folder of its name."""
    for answers in every_project():
        write(tmp_path / called(answers), made(answers))
    return tmp_path


def test_every_file_is_one_of_its_language(files: Mapping[str, str]) -> None:
    """TOML, YAML and JSON are read, and nothing of a template is left in any file, no stray space either."""
    for name, text in files.items():
        if name.endswith(".toml"):
            tomllib.loads(text)
        elif name.endswith((".yml", ".yaml")):
            assert yaml.safe_load(text)
        elif name.endswith(".json"):
            json.loads(text)
        assert "{%" not in text, name
        assert "{{" not in text.replace("${{", ""), name
        assert text.endswith("\n") or not text, name
        assert "\n\n\n\n" not in f"\n{text}", name
        assert all(line == line.rstrip() for line in text.splitlines()), name


def test_ruff_finds_nothing(projects: Path) -> None:
    """Neither to mend nor to format, by the settings that the project itself has."""
    ruff = Path(sys.executable).with_name("ruff")
    rules = "B,C4,E,F,I,PT,RUF,SIM,UP,W"
    for argv in (("check", "--no-cache", "--select", rules, "."), ("format", "--no-cache", "--diff", ".")):
        done = subprocess.run([ruff, *argv], cwd=projects, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_doctor_finds_nothing(project: Path) -> None:
    """A new project follows every pattern that the doctor knows."""
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    assert [str(found) for found in examine(project, RULES.values())] == []


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_hadolint_finds_nothing(projects: Path) -> None:
    """Pinned bases, pinned installers, no root."""
    found = map(str, projects.rglob("Dockerfile"))
    done = subprocess.run(["hadolint", "--no-color", *found], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_service_more_is_the_same_as_one_from_the_beginning(made: Render) -> None:
    """Only files that name all services differ by it, and those of the others stay as they are."""
    api, web = NewService("api", Kind.PYTHON), NewService("web", Kind.NODE)
    one = Answers("1.2.0", "shop", (api,))
    grown = made(one.with_service(web))
    assert grown == made(Answers("1.2.0", "shop", (api, web)))
    kept = {name: text for name, text in made(one).items() if name.startswith("services/")}
    assert kept.items() <= grown.items()


def test_without_copier(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says so, and the one that helps."""

    def missing(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    with pytest.raises(UsageError, match=r"pip install 'tasklib-stages\[new\]'"):
        rendered(Answers("1.2.0", "shop", (NewService("api", Kind.PYTHON),)))


def test_images_have_what_ci_tests_with(made: Render) -> None:
    """Unit tests run on CI's Python and Node, and their code in the images: the same versions."""
    services = (NewService("api", Kind.PYTHON), NewService("web", Kind.NODE))
    files = made(Answers("1.2.0", "shop", services, ci=Forge.GITHUB))
    workflow = files[".github/workflows/test.yml"]
    for service, image, key in (("api", "python", "python-version"), ("web", "node", "node-version")):
        base = files[f"services/{service}/Dockerfile"].splitlines()[0].rpartition("=")[2]
        version = base.removeprefix(f"{image}:").removesuffix("-slim")
        assert f'{key}: "{version}"' in workflow
        compose = files["deploy/test/docker-compose.yml"]
        assert f":-{base}}}" in compose


def test_a_readme_says_what_to_install(files: Mapping[str, str]) -> None:
    """What `tasklib` is called elsewhere is another project."""
    text = " ".join(files["README.md"].split())
    assert "`uv tool install tasklib-stages --with-executables-from nox,invoke`" in text
    assert "\n\n\n" not in files["README.md"]
    assert ("Node.js" in text) == any(name.endswith("package.json") for name in files)

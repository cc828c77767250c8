"""COMPOSE_FILE and COMPOSE_PROFILES, honoured as plain Compose does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.project import Environment, Project, find_project

Tree = Callable[..., Path]

FILES = ("services/api/Dockerfile", "deploy/test/compose.yml", "a.yml", "b.yml")


def files(project: Project) -> list[str]:
    return [str(path.relative_to(project.root)) for path in project.compose[Environment.TEST]]


def test_compose_file(tree: Tree) -> None:
    """COMPOSE_FILE names the full stack's files, relative to the project."""
    assert files(find_project(tree(*FILES), {"COMPOSE_FILE": "a.yml:b.yml"})) == ["a.yml", "b.yml"]


def test_separator(tree: Tree) -> None:
    """COMPOSE_PATH_SEPARATOR separates them."""
    env = {"COMPOSE_FILE": "b.yml|a.yml", "COMPOSE_PATH_SEPARATOR": "|"}
    assert files(find_project(tree(*FILES), env)) == ["b.yml", "a.yml"]


def test_absolute(tree: Tree) -> None:
    """An absolute path is taken as it is."""
    root = tree(*FILES)
    assert files(find_project(root, {"COMPOSE_FILE": str(root / "b.yml")})) == ["b.yml"]


def test_what_infra_env_exported_says_nothing(tree: Tree) -> None:
    """In a shell that has our COMPOSE_FILE the project is what it is without."""
    root = tree("deploy/test/compose.yml", "tests/integration/", "else.yml")
    ours = {"COMPOSE_FILE": "else.yml", "COMPOSE_PROFILES": "else", "COMPOSE_ENV_FILES": "else.env"}
    found = find_project(root, {**ours, "TASKLIB_COMPOSE_FILE": "else.yml"})
    assert found.compose[Environment.TEST] == (root / "deploy/test/compose.yml",)
    assert (found.profiles, found.env_files) == ((), None)


def test_settings_win(tree: Tree) -> None:
    """What the project configures is not replaced by the environment."""
    root = tree(*FILES, pyproject="[tool.tasklib]\nprofiles = []\ncompose.test = 'a.yml'\n")
    project = find_project(root, {"COMPOSE_FILE": "b.yml", "COMPOSE_PROFILES": "x"})
    assert (files(project), project.profiles) == (["a.yml"], ())


def test_other_environments(tree: Tree) -> None:
    """dev and prod are asked for by name: the environment does not turn them into something else."""
    project = find_project(tree(*FILES, "deploy/dev/compose.yml"), {"COMPOSE_FILE": "a.yml"})
    assert project.compose[Environment.DEV] == (project.root / "deploy/dev/compose.yml",)


def test_missing(tree: Tree) -> None:
    """A file that COMPOSE_FILE names and that does not exist is an error of the configuration."""
    with pytest.raises(ConfigError, match="COMPOSE_FILE") as caught:
        find_project(tree(*FILES), {"COMPOSE_FILE": "a.yml:gone.yml"})
    assert "gone.yml" in str(caught.value)


def test_empty(tree: Tree) -> None:
    """Empty variables are unset ones."""
    project = find_project(tree(*FILES), {"COMPOSE_FILE": "", "COMPOSE_PROFILES": ""})
    assert (files(project), project.profiles) == (["deploy/test/compose.yml"], ())


def test_profiles(tree: Tree) -> None:
    """COMPOSE_PROFILES is a list with commas."""
    assert find_project(tree(*FILES), {"COMPOSE_PROFILES": "a, b,"}).profiles == ("a", "b")


def test_dotenv(tree: Tree) -> None:
    """The same variables in the root's .env count where the stack lies in the root."""
    root = tree("services/api/Dockerfile", "a.yml", "b.yml", "compose.yml")
    (root / ".env").write_text(
        "# x\nexport COMPOSE_FILE='a.yml:b.yml' # both\nCOMPOSE_PROFILES=\"x\"\nOTHER=1\n"
    )
    project = find_project(root, {})
    assert (files(project), project.profiles) == (["a.yml", "b.yml"], ("x",))
    assert find_project(root, {"COMPOSE_PROFILES": "y"}).profiles == ("y",)
    tree("deploy/test/compose.yml")
    assert files(find_project(root, {})) == ["deploy/test/compose.yml"]

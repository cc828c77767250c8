"""Which files below a folder the rules look at, and which environment each Compose file is for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

from tasklib.doctor.document import Document, Entry, entries, read_document
from tasklib.errors import TasklibError
from tasklib.project import Environment, Project, find_project

__all__ = ["ComposeFile", "Survey", "survey"]

_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "site-packages", "dist", "build", "vendor", "third_party", "venv"}
)
_COMPOSE = re.compile(r"(docker-)?compose([.-][\w.-]+)?\.ya?ml")
_WORKFLOW = re.compile(r"(.*/)?(\.github|\.gitea|\.forgejo)/workflows/[^/]+\.ya?ml|(.*/)?\.gitlab-ci\.yml")
_SCRIPT = re.compile(r"(GNU)?[Mm]akefile|.*\.mk|.*\.sh|[Jj]ustfile")
_DOCKERFILE = re.compile(r"Dockerfile([.-][\w.-]+)?|.*\.[Dd]ockerfile")
_TEST = re.compile(r"test_.*\.py|.*_test\.py|conftest\.py|.*\.(test|spec)\.[cm]?[jt]sx?")
_WORDS: Mapping[str, Environment] = {
    "test": Environment.TEST,
    "tests": Environment.TEST,
    "testing": Environment.TEST,
    "ci": Environment.TEST,
    "dev": Environment.DEV,
    "development": Environment.DEV,
    "local": Environment.DEV,
    "override": Environment.DEV,
    "prod": Environment.PROD,
    "production": Environment.PROD,
}
_LARGEST = 1_000_000
"""Bytes above which nobody wrote a file by hand."""


@dataclass(frozen=True)
class ComposeFile:
    """A Compose file and the environment that it is for; ``None``: nothing says which."""

    document: Document
    environment: Environment | None

    @property
    def path(self) -> Path:
        return self.document.path

    @cached_property
    def services(self) -> Mapping[str, Entry]:
        found = self.document.at("services")
        return {
            name: entry
            for name, entry in (entries(found.value) if found else {}).items()
            if isinstance(entry.value, yaml.MappingNode)
        }


@dataclass(frozen=True)
class Survey:
    """What is there below ``root``, by kind; ``project`` is the one at ``root``, if it can be read."""

    root: Path
    compose: tuple[ComposeFile, ...] = ()
    dockerfiles: tuple[Path, ...] = ()
    tests: tuple[Path, ...] = ()
    scripts: tuple[Path, ...] = ()
    workflows: tuple[Path, ...] = ()
    project: Project | None = None
    texts: dict[Path, str | None] = field(default_factory=dict, compare=False)

    def text(self, path: Path) -> str | None:
        """What a file holds, line ends as they stand; ``None`` where it cannot be read as text."""
        if path not in self.texts:
            try:
                data = path.read_bytes() if path.stat().st_size <= _LARGEST else b"\0"
                self.texts[path] = None if b"\0" in data else data.decode("utf-8")
            except (OSError, UnicodeDecodeError):
                self.texts[path] = None
        return self.texts[path]


def survey(root: Path, texts: Mapping[Path, str] | None = None) -> Survey:
    """Look at the files below ``root`` (a folder, or one file); nothing is started and nothing written.

    ``texts`` stand in the place of what files hold.
    """
    texts = texts or {}
    project = _project(root)
    found: dict[str, list[Path]] = {"compose": [], "docker": [], "test": [], "script": [], "workflow": []}
    for path in _files(root):
        name = path.relative_to(root).as_posix() if path != root else path.name
        if _WORKFLOW.fullmatch(name):
            found["workflow"].append(path)
        elif _COMPOSE.fullmatch(path.name):
            found["compose"].append(path)
        elif _DOCKERFILE.fullmatch(path.name):
            found["docker"].append(path)
        elif _TEST.fullmatch(path.name):
            found["test"].append(path)
        elif _SCRIPT.fullmatch(path.name):
            found["script"].append(path)
    named = _named(project)
    for path in named:
        if path not in found["compose"] and path.is_file() and path.is_relative_to(root):
            found["compose"].append(path)
    compose = []
    for path in found["compose"]:
        document = read_document(path, texts.get(path))
        if document is not None:
            compose.append(ComposeFile(document, named.get(path) or _environment(path, root)))
    return Survey(
        root,
        tuple(compose),
        dockerfiles=tuple(found["docker"]),
        tests=tuple(found["test"]),
        scripts=tuple(found["script"]),
        workflows=tuple(found["workflow"]),
        project=project,
        texts=dict(texts),
    )


def _project(root: Path) -> Project | None:
    try:
        return find_project(root if root.is_dir() else root.parent)
    except TasklibError:
        return None


def _named(project: Project | None) -> dict[Path, Environment | None]:
    """The files that the project's own settings give to an environment.

    ``None``: a stack that tests use, and that people start, too. It is the tests' alone where the file is
    called so, or where there is another one for development. What tasklib isolates of it for tests is as
    people need it, and no mistake.
    """
    if project is None:
        return {}
    found: dict[Path, Environment | None] = {
        path: Environment.TEST for service in project.services for path in service.compose
    }
    found |= {path: environment for environment, files in project.compose.items() for path in files}
    if Environment.DEV in found.values():
        return found
    return {
        path: environment if environment is not Environment.TEST else _environment(path, project.root)
        for path, environment in found.items()
    }


def _environment(path: Path, root: Path) -> Environment | None:
    """By the file's name (``compose.test.yml``), else by the nearest folder that is called like one."""
    words = [word for part in re.split(r"[.-]", path.name) if (word := part.lower()) in _WORDS]
    if words:
        return _WORDS[words[-1]]
    inside = path != root and path.is_relative_to(root)
    folders = path.relative_to(root).parent.parts if inside else path.parent.parts[-2:]
    return next((_WORDS[part.lower()] for part in reversed(folders) if part.lower() in _WORDS), None)


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED
            and (not name.startswith(".") or name in (".github", ".gitea", ".forgejo"))
        )
        yield from (Path(parent, name) for name in sorted(names))

"""PURE but for reading: what the files of a folder say of its Python project."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tasklib.errors import ConfigError
from tasklib.pipeline.suites.folders import table
from tasklib.pipeline.suites.python import hatch, pdm, pipenv, poetry
from tasklib.pipeline.suites.python.setup_files import setup_extras

__all__ = ["Manifest", "name_of", "read_manifest"]

_TESTS = frozenset({"test", "tests", "testing"})
_DEVELOPMENT = frozenset({"dev", "develop", "development"})
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")


@dataclass(frozen=True)
class Manifest:
    """What pyproject.toml (``data``), a Pipfile or its lock (``pipfile``), setup.py and setup.cfg in
    ``folder`` say.

    Requirements are written as pip takes them; one that begins with ``-e`` is a folder to install as it lies.
    """

    folder: Path
    data: Mapping[str, Any] = field(default_factory=dict)
    pipfile: Mapping[str, Any] = field(default_factory=dict)

    @property
    def project(self) -> Mapping[str, Any]:
        return table(self.data, "project")

    def tool(self, name: str) -> Mapping[str, Any]:
        return table(table(self.data, "tool"), name)

    @property
    def is_project(self) -> bool:
        """Whether pyproject.toml describes one; it may hold nothing but tools' settings."""
        return "project" in self.data or "poetry" in table(self.data, "tool") or bool(self.workspace)

    @property
    def workspace(self) -> Mapping[str, Any] | None:
        """That of uv whose root this folder is."""
        return table(self.tool("uv"), "workspace") if "workspace" in self.tool("uv") else None

    @cached_property
    def has_setup(self) -> bool:
        """Whether setuptools describes a project in files of its own."""
        cfg = "build-system" in self.data and (self.folder / "setup.cfg").is_file()
        return (self.folder / "setup.py").is_file() or cfg

    @property
    def installable(self) -> bool:
        """Whether the project itself is installed; others are only imported from where they lie."""
        if not self.is_project:
            return self.has_setup and not self.pipfile  # That says itself whether the project is installed.
        switches = (
            self.tool("uv").get("package"),
            self.tool("poetry").get("package-mode"),
            self.tool("pdm").get("distribution"),
        )
        build = table(self.data, "build-system")
        if build.get("build-backend") == "poetry.masonry.api":
            return False  # Poetry's first way of building cannot install a project as it lies.
        if build.get("build-backend") == "poetry.core.masonry.api" and not self._poetry_finds_a_package:
            return False  # An application: `poetry install` takes its dependencies, and fails at itself.
        built = "build-system" in self.data or self.has_setup or True in switches
        return (
            built and False not in switches and (bool(self.project) or "poetry" in table(self.data, "tool"))
        )

    @property
    def _poetry_finds_a_package(self) -> bool:
        """Whether there is what Poetry would install: what it is told, or what is called like the project."""
        module = re.sub(r"[-.]+", "_", self.name)
        places = (f"{where}{module}{what}" for where in ("", "src/") for what in ("/__init__.py", ".py", ""))
        return bool(self.tool("poetry").get("packages")) or any(
            (self.folder / one).exists() for one in places
        )

    @cached_property
    def name(self) -> str:
        return name_of(str(self.project.get("name") or self.tool("poetry").get("name") or ""))

    @cached_property
    def dependencies(self) -> tuple[str, ...]:
        """What the project needs to run."""
        own = (*_texts(self.project.get("dependencies")), *poetry.dependencies(self.data))
        return (*own, *pipenv.dependencies(self.pipfile))

    @cached_property
    def extras(self) -> Mapping[str, tuple[str, ...]]:
        listed = table(self.project, "optional-dependencies")
        found = {name: tuple(_texts(entries)) for name, entries in listed.items()}
        return {**setup_extras(self.folder), **poetry.extras(self.data), **found}

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """What development needs, by the names of the groups, whichever tool's tables say so."""
        own = table(self.data, "dependency-groups")
        found = {name: list(_group(own, name, frozenset())) for name in own}
        listed = (self.tool(name).get("dev-dependencies") for name in ("uv", "rye"))
        uv = {"dev": tuple(entry for entries in listed for entry in _texts(entries))}
        others = (
            poetry.groups(self.data),
            pdm.groups(self.data, self.folder),
            pipenv.groups(self.pipfile),
            uv,
        )
        for tables in others:
            for name, entries in tables.items():
                found.setdefault(name, []).extend(entries)
        return {name: tuple(entries) for name, entries in found.items() if entries or name in own}

    @cached_property
    def hatch(self) -> hatch.Environment | None:
        """Hatch's environment for tests, where its settings have one."""
        return hatch.test_environment(self.data, self.folder)

    @cached_property
    def test_groups(self) -> tuple[str, ...]:
        """The groups that hold what tests need: those called so, those with pytest, and development's."""
        return tuple(
            name
            for name, entries in self.groups.items()
            if name in _TESTS | _DEVELOPMENT or _holds_pytest(entries)
        )

    @cached_property
    def test_extras(self) -> tuple[str, ...]:
        """The extras likewise; development's only where nothing else is for tests."""
        named = [name for name, entries in self.extras.items() if name in _TESTS or _holds_pytest(entries)]
        others = [name for name in self.extras if name in _DEVELOPMENT]
        return tuple(sorted(named or ([] if self._groups_hold_pytest else others)))

    @property
    def _groups_hold_pytest(self) -> bool:
        return any(_holds_pytest(self.groups[name]) for name in self.test_groups)

    @property
    def says_what_tests_need(self) -> bool:
        """Whether something that it lists for tests holds pytest."""
        extras = any(_holds_pytest(self.extras[name]) for name in self.test_extras)
        whole = _holds_pytest(self.dependencies)
        return extras or whole or self._groups_hold_pytest or self.hatch is not None


def read_manifest(folder: Path) -> Manifest:
    """What ``folder`` says. Raises ConfigError where its pyproject.toml or Pipfile cannot be read."""
    pipfile = _parsed(folder / pipenv.FILE, tomllib.loads)
    locked = _parsed(folder / pipenv.LOCK, _json) if pipfile else {}
    return Manifest(folder, _parsed(folder / "pyproject.toml", tomllib.loads), locked or pipfile)


def _parsed(path: Path, parse: Callable[[str], dict[str, Any]]) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from error


def _json(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def name_of(requirement: str) -> str:
    """The normalized name in a requirement; empty where it has none."""
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found else ""


def _group(groups: Mapping[str, Any], name: str, seen: frozenset[str]) -> Iterator[str]:
    """The requirements of a group and of those that it includes."""
    for entry in groups.get(name) or ():
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            included = str(entry.get("include-group", ""))
            known = next((other for other in groups if name_of(other) == name_of(included)), "")
            if known and known not in seen:
                yield from _group(groups, known, seen | {name})


def _holds_pytest(entries: Iterable[str]) -> bool:
    return any(entry.lower().startswith("pytest") for entry in entries)


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

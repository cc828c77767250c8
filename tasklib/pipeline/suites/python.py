"""The environment that a folder's Python tests run in."""

from __future__ import annotations

import os
import shutil
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasklib.errors import ConfigError
from tasklib.pipeline.suites.folders import table, upwards

__all__ = ["PythonEnvironment", "python_environment"]

_REQUIREMENTS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-test.txt",
    "requirements_dev.txt",
    "requirements_test.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
)
_TEST_NAMES = frozenset({"test", "tests", "testing"})


@dataclass(frozen=True)
class PythonEnvironment:
    """Where Python tests run: ``launcher`` is what to put before ``pytest``, ``variables`` are added."""

    launcher: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def python_environment(tests: Path, cwd: Path, top: Path) -> PythonEnvironment:
    """The environment of the tests in folder ``tests``, which are started in ``cwd``.

    The nearest folder from ``tests`` up to ``top`` (the project's root) that describes an environment
    decides: a pyproject.toml with a project in it (the service's own environment, kept by uv), or
    requirements files or a setup.py (an environment that uv keeps in its cache). pytest is added where that
    lacks it. Raises ConfigError where a pyproject.toml cannot be read or needs a tool that is not there.
    """
    uv = (_uv(), "run")
    for folder in upwards(tests, top):
        data = _pyproject(folder / "pyproject.toml")
        if "project" in data or "workspace" in table(table(data, "tool"), "uv"):
            where = () if folder == cwd else ("--project", str(folder))
            launcher = (*uv, *where, *_test_dependencies(data), "--with", "pytest")
            return PythonEnvironment(launcher, _bytecode(folder / ".venv"))
        if "poetry" in table(data, "tool"):
            return PythonEnvironment(_poetry(folder))
        given = [folder / name for name in _REQUIREMENTS if (folder / name).is_file()]
        options = [part for path in given for part in ("--with-requirements", str(path))]
        if (folder / "setup.py").is_file():
            options += ["--with-editable", str(folder)]
        if options:
            # An environment that lies in this very folder is the user's own choice; one further up is not.
            alone = () if (folder / ".venv").is_dir() and folder == cwd else ("--isolated",)
            return PythonEnvironment((*uv, "--no-project", *alone, *options, "--with", "pytest"))
    return PythonEnvironment((*uv, "--no-project", "--isolated", "--with", "pytest"))


def _bytecode(environment: Path) -> Mapping[str, str]:
    """Variables by which Python keeps what it compiles, where it may not keep it beside the sources.

    Every run would compile what its tests import, and the tests themselves, which pytest rewrites. Inside of
    the environment it is in nobody's way, and goes with it.
    """
    forbidden = os.environ.get("PYTHONDONTWRITEBYTECODE") and not os.environ.get("PYTHONPYCACHEPREFIX")
    if not forbidden or not (environment / "pyvenv.cfg").is_file():
        return {}
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(environment / "bytecode")}


_UV = threading.Lock()


def _uv() -> str:
    import uv

    try:
        # It reads Python's own configuration, whose first reading is not safe in several threads at once.
        with _UV:
            return str(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise ConfigError(
            f"uv is not installed: {error}", remedy="Reinstall tasklib: uv comes with it."
        ) from error


def _poetry(folder: Path) -> tuple[str, ...]:
    program = shutil.which("poetry")
    if program is None:
        raise ConfigError(
            "describes a Poetry project, and there is no `poetry`",
            where=str(folder / "pyproject.toml"),
            remedy="Install Poetry, or give the test command as `services.<name>.command` in [tool.tasklib].",
        )
    return (program, "run")


def _pyproject(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from error


def _test_dependencies(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Options for the groups and extras that hold the tests' dependencies (uv adds ``dev`` by itself)."""
    groups = _names(table(data, "dependency-groups")) - {"dev"}
    extras = _names(table(table(data, "project"), "optional-dependencies"))
    chosen = [part for name in sorted(extras) for part in ("--extra", name)]
    return (*chosen, *(part for name in sorted(groups) for part in ("--group", name)))


def _names(lists: Mapping[str, Any]) -> set[str]:
    def wants_pytest(entries: object) -> bool:
        found = entries if isinstance(entries, list) else []
        return any(isinstance(entry, str) and entry.lower().startswith("pytest") for entry in found)

    return {name for name, entries in lists.items() if name in _TEST_NAMES or wants_pytest(entries)}

"""The environment that a folder's tests run in: what starts a Python tool there, or a Node one."""

from __future__ import annotations

import json
import os
import shutil
import threading
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasklib.errors import ConfigError
from tasklib.pipeline.suite import Preparation

__all__ = [
    "PythonEnvironment",
    "node_folder",
    "node_preparation",
    "package",
    "python_environment",
    "vitest_program",
]

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
    for folder in _upwards(tests, top):
        data = _pyproject(folder / "pyproject.toml")
        if "project" in data or "workspace" in _table(_table(data, "tool"), "uv"):
            where = () if folder == cwd else ("--project", str(folder))
            launcher = (*uv, *where, *_test_dependencies(data), "--with", "pytest")
            return PythonEnvironment(launcher, _bytecode(folder / ".venv"))
        if "poetry" in _table(data, "tool"):
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


def node_folder(tests: Path, top: Path) -> Path | None:
    """The nearest folder from ``tests`` up to ``top`` that has a package.json."""
    return next((folder for folder in _upwards(tests, top) if (folder / "package.json").is_file()), None)


def package(folder: Path) -> Mapping[str, Any]:
    """The package.json of ``folder``; ConfigError where it is not a JSON object."""
    path = folder / "package.json"
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from error
    if not isinstance(data, dict):
        raise ConfigError("is not a JSON object", where=str(path))
    return data


def vitest_program(folder: Path, top: Path) -> Path | None:
    """The vitest of the package in ``folder``, which need not be installed yet; ``None`` if it uses another.

    A package uses vitest if it, or one above it, depends on it, unless its own ``test`` script runs something
    else.
    """
    script = str(_table(package(folder), "scripts").get("test", "vitest"))
    packages = [place for place in _upwards(folder, top) if (place / "package.json").is_file()]
    asking = [place for place in packages if "vitest" in _dependencies(package(place))]
    if "vitest" not in script or not asking:
        return None
    programs = [place / "node_modules" / ".bin" / "vitest" for place in packages]
    return next((program for program in programs if program.exists()), programs[packages.index(asking[0])])


def node_preparation(folder: Path, top: Path) -> tuple[Preparation, ...]:
    """The installation of a package.json's dependencies, by the lock file that is there."""
    kinds = {
        "package-lock.json": ("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"),
        "pnpm-lock.yaml": ("pnpm", "install", "--frozen-lockfile"),
        "yarn.lock": ("yarn", "install", "--frozen-lockfile"),
        "bun.lock": ("bun", "install", "--frozen-lockfile"),
    }
    stamps = {"npm": ".package-lock.json", "pnpm": ".modules.yaml", "yarn": ".yarn-integrity", "bun": ""}
    for place in _upwards(folder, top):
        for name, argv in kinds.items():
            if (place / name).is_file():
                stamp = place / "node_modules" / stamps[argv[0]]
                return (Preparation((_program(argv[0], folder), *argv[1:]), place, place / name, stamp),)
    source = folder / "package.json"
    if not _dependencies(package(folder)):
        return ()
    install = (_program("npm", folder), "install", "--no-package-lock", "--no-audit", "--no-fund")
    stamp = folder / "node_modules" / ".package-lock.json"
    return (Preparation((*install, "--loglevel=error"), folder, source, stamp),)


def _upwards(folder: Path, top: Path) -> Iterator[Path]:
    yield folder
    if folder != top and folder.is_relative_to(top):
        yield from _upwards(folder.parent, top)


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


def _program(name: str, folder: Path) -> str:
    found = shutil.which(name)
    if found is None:
        raise ConfigError(
            f"its tests need `{name}`, which is not installed",
            where=str(folder / "package.json"),
            remedy="Install Node.js and its package manager, and run again.",
        )
    return found


def _pyproject(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from error


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _dependencies(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**_table(data, "dependencies"), **_table(data, "devDependencies")}


def _test_dependencies(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Options for the groups and extras that hold the tests' dependencies (uv adds ``dev`` by itself)."""
    groups = _names(_table(data, "dependency-groups")) - {"dev"}
    extras = _names(_table(_table(data, "project"), "optional-dependencies"))
    chosen = [part for name in sorted(extras) for part in ("--extra", name)]
    return (*chosen, *(part for name in sorted(groups) for part in ("--group", name)))


def _names(lists: Mapping[str, Any]) -> set[str]:
    def wants_pytest(entries: object) -> bool:
        found = entries if isinstance(entries, list) else []
        return any(isinstance(entry, str) and entry.lower().startswith("pytest") for entry in found)

    return {name for name, entries in lists.items() if name in _TEST_NAMES or wants_pytest(entries)}

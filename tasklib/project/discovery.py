"""From a folder to the project that holds it."""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Any

from msgspec import Struct

from tasklib.checkout import find_checkout
from tasklib.errors import ConfigError
from tasklib.project.assembly import load_project
from tasklib.project.compose_files import (
    assignments,
    compose_files,
    compose_files_for_tests,
    compose_variables,
    named_by_environment,
    without_exported,
)
from tasklib.project.layout import PYPROJECT, service_folders
from tasklib.project.model import Project
from tasklib.project.selection import script_tests
from tasklib.shown.masking import hide, hide_names

__all__ = ["find_project"]

_PROJECT_FILES = (
    *(PYPROJECT, "package.json", "Dockerfile", "noxfile.py", "tasks.py", "setup.py", "deploy"),
    ".git",  # the top of a checkout is a project's, or nobody's
)
_SUITES = ("tests/unit", "tests/integration")


class _Kind(Enum):
    CONFIGURED = auto()
    """Its pyproject.toml has ``[tool.tasklib]``."""
    SERVICES = auto()
    """It has ``services/<name>/`` folders."""
    SINGLE = auto()
    """It is one service, or looks like one."""


class _Candidate(Struct, frozen=True):
    root: Path
    kind: _Kind
    services: tuple[Path, ...]


def find_project(start: Path, env: Mapping[str, str] | None = None) -> Project:
    """The project that ``start`` (a folder or file in it) belongs to.

    That is the nearest folder, up to the checkout's top, with ``[tool.tasklib]``, with ``services/<name>/``
    folders, or laid out as a single service. A service's folder belongs to the project around it, unless it
    has a ``[tool.tasklib]`` of its own. Failing that, it is the nearest folder with a Compose file,
    or a ``.env`` that names one: infrastructure needs no tests. Only where there is none does an exported
    COMPOSE_FILE decide. ``env`` (``os.environ``) is read for COMPOSE_FILE and COMPOSE_PROFILES. Raises
    :class:`~tasklib.errors.ConfigError` when there is no project, or one that cannot be used as it stands.
    """
    env = os.environ if env is None else env
    start = start.resolve()
    checkout = find_checkout(start)
    top = checkout.root if checkout.git_dir or checkout.root != start else None
    chosen: _Candidate | None = None
    last: Path | None = None
    folders = tuple(_upward(start if start.is_dir() else start.parent, top))
    for folder in folders:
        candidate = _candidate(folder)
        if candidate and (chosen is None or _owns(candidate, chosen)):
            chosen = candidate
        if last is None and _has_compose_file(folder):
            last = folder
    if chosen is None and (found := last or _exported(folders, top, without_exported(env))):
        chosen = _Candidate(found, _Kind.SINGLE, ())
    if chosen:
        project = load_project(chosen.root, env)
        _hide_secrets(project)
        return project
    named_by_environment(start, {}, without_exported(env))  # raises where it leads nowhere
    raise ConfigError(
        f"no services and no tests found here or above, up to {top or '/'}",
        where=str(start),
        remedy="tasklib looks for services/<name>/ (with a Dockerfile, pyproject.toml, package.json, deploy/ "
        "or tests/), tests/unit, tests/integration and what [tool.tasklib] in pyproject.toml names.",
    )


def _hide_secrets(project: Project) -> None:
    """What the project's own files say is secret is known to be from now on."""
    hide_names(project.mask)
    for path in project.env_files or (project.root / ".env",):
        hide(assignments(path))
    hide(project.env)
    for service in project.services:
        hide(service.env)
    for tests in project.all_tests():
        hide(tests.env)


def _upward(start: Path, top: Path | None) -> Iterator[Path]:
    for folder in (start, *start.parents):
        yield folder
        if folder == top:
            return


def _owns(outer: _Candidate, inner: _Candidate) -> bool:
    return inner.kind is not _Kind.CONFIGURED and any(
        inner.root.is_relative_to(service) for service in outer.services if service != outer.root
    )


def _candidate(folder: Path) -> _Candidate | None:
    services = tuple(service.resolve() for service in service_folders(folder).values())
    table = _table(folder)
    if table is not None:
        return _Candidate(folder, _Kind.CONFIGURED, (*services, *_configured(folder, table)))
    if services:
        return _Candidate(folder, _Kind.SERVICES, services)
    if _looks_single(folder):
        return _Candidate(folder, _Kind.SINGLE, ())
    return None


def _looks_single(folder: Path) -> bool:
    if not any((folder / name).exists() for name in _PROJECT_FILES) and not compose_files(folder):
        return False
    return (
        any((folder / suite).is_dir() for suite in _SUITES)
        or script_tests(folder) is not None
        or _has_stack(folder)
    )


def _has_compose_file(folder: Path) -> bool:
    """Whether plain Compose would find files there by itself, or files for tests alone are."""
    if compose_files(folder) or compose_files_for_tests(folder):
        return True
    # Whether the files that it names are there, whoever reads them says.
    return bool(compose_variables((folder / ".env",)).get("COMPOSE_FILE"))


def _exported(folders: Iterable[Path], top: Path | None, env: Mapping[str, str]) -> Path | None:
    """The nearest of ``folders`` from which COMPOSE_FILE of ``env`` leads to files that are there.

    An absolute path leads there from anywhere: it means the nearest one, up to a checkout's ``top``, that
    holds the first file.
    """
    leading = [(folder, path) for folder in folders for path in _named(folder, env)[:1]]
    holding = (folder for folder, path in leading if top and path.resolve().is_relative_to(folder))
    return next(holding, leading[0][0] if leading else None)


def _named(folder: Path, env: Mapping[str, str]) -> tuple[Path, ...]:
    try:
        return named_by_environment(folder, {}, env)
    except ConfigError:
        return ()


def _has_stack(folder: Path) -> bool:
    return any(compose_files(folder / "deploy" / name) for name in ("test", "dev", "prod"))


def _table(folder: Path) -> Mapping[str, Any] | None:
    """``[tool.tasklib]`` of the folder, unchecked. A file that does not parse has it if it says so."""
    try:
        text = (folder / PYPROJECT).read_bytes().decode(errors="replace")
    except OSError:
        return None
    try:
        table = tomllib.loads(text).get("tool", {}).get("tasklib")
    except (tomllib.TOMLDecodeError, AttributeError, RecursionError):
        return {} if "tool.tasklib" in text else None
    return table if table is None or isinstance(table, dict) else {}


def _configured(folder: Path, table: Mapping[str, Any]) -> Iterator[Path]:
    services = table.get("services")
    for section in services.values() if isinstance(services, dict) else ():
        path = section.get("path") if isinstance(section, dict) else None
        if isinstance(path, str):
            with contextlib.suppress(OSError, ValueError, RuntimeError):  # what is no path is told later
                yield (folder / path).resolve()

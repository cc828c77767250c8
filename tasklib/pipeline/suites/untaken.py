"""Tests that no stage takes, found by the names of their files: a green run leaves out none silently."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from tasklib.pipeline.suites.detect import fullstack_files, is_test, tests_of_any_kind
from tasklib.project import Project, Service
from tasklib.shown.cutting import several

__all__ = ["Untaken", "explain", "untaken"]

_ROOTS = ("tests", "test", "spec", "__tests__", "src")
"""Where the tests of the project itself may be: what else it holds is not known to be its own."""

_SHOWN = 4


class Untaken(Struct, frozen=True):
    """``folder`` (relative to the project's root) holds ``number`` test files that no stage runs.

    ``keys`` are those of [tool.tasklib] that would take them.
    """

    service: str
    folder: str
    number: int
    keys: tuple[str, ...]


def untaken(project: Project, names: Sequence[str] = ()) -> tuple[Untaken, ...]:
    """What no stage takes, of the services called ``names``, or of all and the project itself."""
    found: list[Untaken] = []
    for service in project.services:
        if not names or service.name in names:
            found += _of_service(project, service)
    if not project.single and (not names or project.suite in names):
        taken = [path for suite in (project.unit, project.integration) if suite for path in suite.paths]
        # A service's folder is its own, wherever it is.
        others = [*taken, *(service.path for service in project.services)]
        places = _grouped([*_files(project.root, others)], project.root, taken)
        keys = ("unit", "integration")
        found += (_named(project, project.suite, folder, files, keys) for folder, files in places)
    return tuple(found)


def explain(found: Sequence[Untaken]) -> str:
    """One line for all of them; empty where there are none."""
    if not found:
        return ""
    places = [f"{one.folder} ({one.number} test file{'s' if one.number > 1 else ''})" for one in found]
    keys = list(dict.fromkeys(key for one in found[:_SHOWN] for key in one.keys))
    how = f"name it with {' or '.join(f'`{key}`' for key in keys[:4])} in [tool.tasklib]"
    move = "move it to tests/unit or tests/integration"
    return f"run by no stage: {several(places, _SHOWN)}; {how if keys else move}"


def _of_service(project: Project, service: Service) -> Iterator[Untaken]:
    whole = project.integration if project.single else None
    suites = [suite for suite in (service.unit, service.tests, whole) if suite]
    if any(suite.command or (suite.inside and not suite.paths) for suite in suites):
        return  # What a command of its own runs, or a container's, is its own business.
    against = service.tests.paths if service.tests else ()
    unit = service.unit.paths if service.unit else ()
    integration = project.integration.paths if project.single and project.integration else ()
    taken = (*unit, *(against if service.compose else fullstack_files(against)), *integration)
    if service.path in unit:
        # All that lies beside the code is taken, but for what is meant for the stack.
        everything = [path for place in against for path in tests_of_any_kind(place)]
        taken = tuple(path for path in taken if path != service.path)
    elif project.single:
        everything = list(_files(service.path, taken))
    else:
        everything = list(tests_of_any_kind(service.path))
    left = [path for path in everything if not _is_below(path, taken)]
    keys = "" if project.single else f"services.{service.name}."
    for folder, files in _grouped(left, service.path, taken):
        if any(folder.is_relative_to(place) for place in against):
            chosen: tuple[str, ...] = (f"{keys}compose",)
        elif all(is_test(path) for path in files):
            chosen = (f"{keys}unit", "integration" if project.single else f"{keys}service")
        else:
            chosen = (f"{keys}command",)
        yield _named(project, service.name, folder, files, chosen)


def _files(root: Path, taken: Sequence[Path]) -> Iterator[Path]:
    """The tests of the project's own folders."""
    for name in _ROOTS:
        for path in tests_of_any_kind(root / name):
            if not _is_below(path, taken):
                yield path


def _named(
    project: Project, service: str, folder: Path, files: Sequence[Path], keys: tuple[str, ...]
) -> Untaken:
    return Untaken(service, Path(os.path.relpath(folder, project.root)).as_posix(), len(files), keys)


def _grouped(
    files: Iterator[Path] | Sequence[Path], root: Path, taken: Sequence[Path]
) -> list[tuple[Path, list[Path]]]:
    """The files by the highest folders below ``root`` that hold nothing which is taken."""

    def holds_taken(folder: Path) -> bool:
        return any(path.is_relative_to(folder) for path in taken)

    places: dict[Path, list[Path]] = {}
    for path in files:
        below = [folder for folder in path.parents if folder != root and folder.is_relative_to(root)]
        above = reversed(below)
        chosen = next((folder for folder in above if not holds_taken(folder)), path.parent)
        places.setdefault(chosen, []).append(path)
    return list(places.items())


def _is_below(path: Path, places: Sequence[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)

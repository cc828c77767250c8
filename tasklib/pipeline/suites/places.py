"""Where a target's tests are, and which of the tests there are another stage's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from tasklib.errors import ConfigError, UsageError
from tasklib.options.likeness import meant
from tasklib.pipeline.suites.detect import FULLSTACK, fullstack_files, script_tests
from tasklib.project import Project, Service, StageTests
from tasklib.results import Stage, Target

__all__ = ["Place", "as_argument", "others_in_package", "place_of"]


class Place(Struct, frozen=True):
    """Where a target's tests are: started in ``cwd``, found in ``tests``, leaving out ``without``.

    ``said`` is what the settings say of them.
    """

    cwd: Path
    tests: tuple[Path, ...]
    said: StageTests
    without: tuple[Path, ...] = ()
    fullstack: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(as_argument(path, self.cwd) for path in self.tests)


def place_of(project: Project, target: Target) -> Place:
    """Where the tests of ``target`` are.

    Raises UsageError for a service that the project does not have, ConfigError where it has none of the
    stage.
    """
    own = {Stage.UNIT: project.unit, Stage.INTEGRATION: project.integration}.get(target.stage)
    if own and target.service == project.suite:
        others = (project.unit, project.integration, *(s.unit for s in project.services if project.single))
        return Place(project.root, own.paths, own, _others(own, others))
    service = _service(project, target.service)
    if target.stage is Stage.UNIT and service.unit:
        others = (service.tests, project.integration if project.single else None)
        return Place(service.path, service.unit.paths, service.unit, _others(service.unit, others))
    marked = fullstack_files(service.tests.paths) if service.tests else ()
    if target.stage is Stage.SERVICE and service.tests:
        without = _others(service.tests, (service.unit,))
        kept = "exclude" if marked else ""
        return Place(service.path, service.tests.paths, service.tests, without, kept)
    if target.stage is Stage.INTEGRATION and service.tests and marked:
        return Place(service.path, marked, service.tests, (), "only")
    where = str(service.path)
    if target.stage is Stage.UNIT:
        raise ConfigError(
            f"{service.name} has no unit tests",
            where=where,
            remedy="They belong in its tests/unit, or where `services.<name>.unit` says.",
        )
    if target.stage is Stage.SERVICE:
        raise ConfigError(
            f"{service.name} has no tests against its stack",
            where=where,
            remedy="They belong in its tests/integration, or where `services.<name>.service` says.",
        )
    raise ConfigError(
        f"no test of {service.name} is marked for the full stack",
        where=where,
        remedy=f"Mark one with `@pytest.mark.{FULLSTACK}`.",
    )


def _others(own: StageTests, others: Iterable[StageTests | None]) -> tuple[Path, ...]:
    """The tests of other stages that lie inside of a stage's own folders."""
    inside = [path for tests in others if tests for path in tests.paths if path not in own.paths]
    return tuple(path for path in inside if any(folder in path.parents for folder in own.paths))


def _service(project: Project, name: str) -> Service:
    for service in project.services:
        if service.name == name:
            return service
    names = [service.name for service in project.services]
    known = ", ".join(names) or "none"
    raise UsageError(
        f"no service `{name}` in {project.name}",
        remedy=meant(name, names, quoted="`{}`".format) or f"The services are: {known}.",
    )


def others_in_package(project: Project, place: Place, folder: Path) -> tuple[str, ...]:
    """Where in the package in ``folder`` other suites than that of ``place`` have JavaScript tests.

    Those with a command of their own are left out.
    """
    suites = [tests for service in project.services for tests in (service.unit, service.tests)]
    suites += [project.unit, project.integration]
    paths = {
        path
        for suite in suites
        if suite and not suite.command and not suite.inside
        for path in suite.paths
        if path not in place.tests and folder in path.parents
    }
    return tuple(sorted(str(path.relative_to(folder)) for path in paths if script_tests(path)))


def as_argument(path: Path, cwd: Path) -> str:
    """``path`` as an argument: relative where it lies below ``cwd``, and never an option."""
    text = str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)
    return f".{os.sep}{text}" if text.startswith("-") else text

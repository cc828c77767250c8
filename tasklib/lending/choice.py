"""Which stack the tests that pytest was asked for need."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from tasklib.errors import UsageError
from tasklib.pipeline.suites.detect import FULLSTACK, fullstack_files, is_test, tests_of_any_kind
from tasklib.project import Environment, Project, Service, StageTests
from tasklib.stacks.plan import StackPlan, full_stack_plan, service_stack_plan

__all__ = ["Choice", "Wanted", "choose"]


class Wanted(Struct, frozen=True):
    """What was asked for: ``stack`` (auto, own, full), tests in ``paths`` (absolute), ``-m`` (``marks``)."""

    stack: str
    paths: tuple[Path, ...]
    marks: str = ""

    @property
    def takes_marked(self) -> bool:
        """Whether tests marked for the full stack take part."""
        return not re.search(rf"\bnot\s+{FULLSTACK}\b", self.marks)

    @property
    def takes_unmarked(self) -> bool:
        """Whether tests without that marker take part."""
        return not (re.search(rf"\b{FULLSTACK}\b", self.marks) and self.takes_marked)


class Choice(Struct, frozen=True):
    """The stack to bring up; what the settings say of ``tests`` against it, which are in ``folder``."""

    plan: StackPlan
    tests: StageTests
    folder: Path


def choose(project: Project, wanted: Wanted) -> Choice | None:
    """The stack for ``wanted``; ``None`` where its tests (unit tests) need none.

    A test file that mentions the marker for the full stack counts as a test of that. Raises
    :class:`~tasklib.errors.UsageError` where tests of several stacks are asked for at once, naming the
    commands that run them one stack at a time, and :class:`~tasklib.errors.ConfigError` where there is no
    such stack.
    """
    if wanted.stack == "full" or (project.single and wanted.stack == "own"):
        return _full(project)
    services = {name: paths for name, paths in _own(project, wanted) if paths}
    if wanted.stack == "own":
        services = services or {service.name: [] for service in _around(project, wanted.paths)}
        if not services:
            raise UsageError(
                f"no tests of a service's own stack in {_listed(wanted.paths)}",
                remedy="Name tests of one service, or say `--stack full`.",
            )
    full = [] if wanted.stack == "own" else list(_of_full_stack(project, wanted))
    if len(services) + bool(full) > 1:
        commands = [_command("own", paths, wanted, "not ") for paths in services.values()]
        commands += [_command("full", full, wanted, "")] if full else []
        raise UsageError(
            f"these tests need {len(commands)} stacks, but one pytest session has one",
            remedy=f"Run them one after another: {', '.join(commands)}",
        )
    for name in services:
        service = next(service for service in project.services if service.name == name)
        return Choice(service_stack_plan(project, service), service.tests or StageTests(), service.path)
    return _full(project) if full else None


def _full(project: Project) -> Choice:
    return Choice(full_stack_plan(project), project.integration or StageTests(), project.root)


def _own(project: Project, wanted: Wanted) -> Iterator[tuple[str, list[Path]]]:
    """The services with stacks of their own, each with the tests asked for that need it."""
    if project.single or not wanted.takes_unmarked:
        return
    for service in project.services:
        if service.compose and service.tests:
            marked = fullstack_files(service.tests.paths)
            unit = service.unit.paths if service.unit else ()
            leave = (*marked, *(path for path in unit if path not in service.tests.paths))
            yield (
                service.name,
                [
                    place
                    for place in _asked(wanted.paths, service.tests.paths)
                    if any(not _is_below(path, leave) for path in _tests(place))
                ],
            )


def _of_full_stack(project: Project, wanted: Wanted) -> Iterator[Path]:
    """The tests asked for that need the full stack."""
    if project.integration and project.compose.get(Environment.TEST):
        yield from _asked(wanted.paths, project.integration.paths)
    if wanted.takes_marked and not project.single:
        for service in project.services:
            yield from _asked(wanted.paths, fullstack_files(service.tests.paths) if service.tests else ())


def _around(project: Project, paths: Sequence[Path]) -> list[Service]:
    """The services in whose folders ``paths`` are."""
    return [
        service
        for service in project.services
        if service.compose and any(path.is_relative_to(service.path) for path in paths)
    ]


def _asked(paths: Sequence[Path], places: Sequence[Path]) -> list[Path]:
    """What of ``places`` is asked for: the narrower of each two that lie within each other."""
    return [
        place if place.is_relative_to(path) else path
        for place in places
        for path in paths
        if place.is_relative_to(path) or path.is_relative_to(place)
    ]


def _tests(place: Path) -> Iterator[Path]:
    return iter((place,)) if place.is_file() else filter(is_test, tests_of_any_kind(place))


def _is_below(path: Path, places: Sequence[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _command(stack: str, paths: Sequence[Path], wanted: Wanted, sign: str) -> str:
    """``pytest --stack full tests/integration``; with the marker where the folder holds both kinds."""
    shared = [path for path in paths if fullstack_files([path])] if stack == "own" else []
    marker = ["-m", f"{sign}{FULLSTACK}"] if shared else []
    return f"`{shlex.join(['pytest', '--stack', stack, *marker, *map(_from_here, paths)])}`"


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(map(_from_here, paths))


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

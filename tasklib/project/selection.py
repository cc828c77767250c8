"""Which targets a project has, and which of them a command line means."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from enum import Enum, auto
from pathlib import Path

from tasklib.errors import UsageError
from tasklib.options.likeness import meant
from tasklib.project.model import Project, Service
from tasklib.results import Stage, Target

__all__ = ["ScriptTests", "script_tests", "select_services", "targets"]


def select_services(project: Project, names: Sequence[str]) -> tuple[Service, ...]:
    """The services called ``names``, in the project's order; all of them without names.

    Raises :class:`~tasklib.errors.UsageError` for a name that no service has, offering the nearest.
    """
    _check(names, project, {service.name for service in project.services})
    return tuple(service for service in project.services if not names or service.name in names)


def targets(
    project: Project,
    stages: Iterable[Stage],
    names: Sequence[str] = (),
    *,
    full_stack: Callable[[Service], bool] = lambda service: False,
) -> tuple[Target, ...]:
    """The targets of ``stages`` in the order they run.

    ``names`` keeps those of the named services; the project's own name stands for the tests in its root.
    ``full_stack`` says whether a service has tests marked for the full stack: they are a target of the
    integration stage. Raises as :func:`select_services` does.
    """
    own = [(Stage.UNIT, project.unit), (Stage.INTEGRATION, project.integration)]
    suite = {project.suite} if any(tests for _, tests in own) else set()
    _check(names, project, {service.name for service in project.services} | suite)
    wanted = set(stages)
    found = [
        Target(stage, service.name)
        for stage in Stage
        if stage in wanted
        for service in project.services
        if _has(project, service, stage, full_stack)
    ]
    for stage, tests in own:
        if stage in wanted and tests:
            found.insert(_first(found, stage), Target(stage, project.suite))
    return tuple(target for target in found if not names or target.service in names)


class ScriptTests(Enum):
    """How ``package.json`` tells to test."""

    VITEST = auto()
    SCRIPT = auto()


def script_tests(folder: Path) -> ScriptTests | None:
    """How ``package.json`` in ``folder`` tells to test: vitest, or a ``test`` script that is one.

    A file that cannot be read counts: running it says what is wrong, passing over it would say nothing.
    """
    try:
        package = json.loads((folder / "package.json").read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return ScriptTests.VITEST
    if not isinstance(package, dict):
        return ScriptTests.VITEST
    sections = [package.get(key) for key in ("scripts", "dependencies", "devDependencies")]
    scripts, *dependencies = [section if isinstance(section, dict) else {} for section in sections]
    if any("vitest" in names for names in dependencies):
        return ScriptTests.VITEST
    script = str(scripts.get("test", ""))
    # `npm init` writes this script where there are no tests.
    return ScriptTests.SCRIPT if script and "no test specified" not in script else None


def _has(project: Project, service: Service, stage: Stage, full_stack: Callable[[Service], bool]) -> bool:
    if stage is Stage.UNIT:
        return service.unit is not None
    if project.single:
        return False  # the full stack is its stack, and the project's own suite its tests
    if stage is Stage.SERVICE:
        return bool(service.compose and service.tests)
    return full_stack(service)


def _first(found: Sequence[Target], stage: Stage) -> int:
    stages = list(Stage)
    later = stages[stages.index(stage) :]
    return next((i for i, target in enumerate(found) if target.stage in later), len(found))


def _check(names: Sequence[str], project: Project, known: Collection[str]) -> None:
    ordered = tuple(sorted(known))
    for name in names:
        if name not in known:
            raise UsageError(
                f"{project.name} has no service {name!r}",
                remedy=f"{meant(name, ordered, quoted=repr)} Known: {', '.join(ordered)}.".lstrip()
                if ordered
                else "It has no services at all.",
            )

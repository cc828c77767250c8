"""What a run would do, before it does it: which targets it has, and its steps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from tasklib.errors import NothingRan, UsageError
from tasklib.pipeline.options import Options
from tasklib.pipeline.steps import Step, steps
from tasklib.pipeline.suites.detect import fullstack_files
from tasklib.pipeline.suites.untaken import explain, untaken
from tasklib.project import Environment, Project, targets
from tasklib.results import Stage, Target

__all__ = ["jobs", "matching", "needs_stack", "plan", "planned_steps", "steps_of"]


def plan(project: Project, stages: Sequence[Stage], options: Options) -> tuple[Target, ...]:
    """The targets a run would have, in order.

    Raises :class:`~tasklib.errors.UsageError` for an unknown name and where nothing is left, as
    :class:`~tasklib.errors.NothingRan` where other stages have something.
    """
    if wanted := matching(project, stages, options):
        return wanted
    left_out = explain(untaken(project, options.names))
    whose = f" of {', '.join(options.names)}" if options.names else ""
    error = NothingRan if matching(project, tuple(Stage), options) else UsageError
    raise error(
        f"no {' or '.join(stages)} tests{whose} in {project.name}",
        where=str(project.root),
        remedy=f"{left_out[0].upper()}{left_out[1:]}."
        if left_out
        else "tasklib looks in tests/unit, tests/integration and services/*, or where [tool.tasklib] says.",
    )


def matching(project: Project, stages: Sequence[Stage], options: Options) -> tuple[Target, ...]:
    """As :func:`plan`, but nothing being left is no error."""
    found = targets(
        project,
        stages,
        options.names,
        full_stack=lambda service: bool(fullstack_files(service.tests.paths if service.tests else ())),
    )
    return tuple(target for target in found if target in options.parts) if options.shard else found


def planned_steps(project: Project, wanted: Sequence[Target], options: Options) -> tuple[Step, ...]:
    """What a run of ``wanted`` would do on one engine, step by step."""
    return steps_of(project, wanted, jobs(project, options))


def steps_of(project: Project, wanted: Sequence[Target], at_once: int) -> tuple[Step, ...]:
    """The steps of a run of ``wanted``, of which so many run ``at_once``."""
    full = any(t.stage is Stage.INTEGRATION and needs_stack(project, t) for t in wanted)
    return steps(wanted, full=full, jobs=at_once)


def jobs(project: Project, options: Options, others: Iterable[int] = ()) -> int:
    """How many targets run at once; ``others`` are the processors of engines that are apart."""
    by_machine = sum(max(4, 2 * processors) for processors in (os.cpu_count() or 1, *others))
    return options.jobs or project.jobs or by_machine


def needs_stack(project: Project, target: Target) -> bool:
    """Whether a target's tests are run against a stack.

    Unit tests never are, and neither are those of a single-service project that has no full stack: its
    integration tests bring up what they need themselves.
    """
    if target.stage is Stage.UNIT:
        return False
    return not project.single or bool(project.compose.get(Environment.TEST))

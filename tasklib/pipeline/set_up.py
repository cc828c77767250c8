"""What the tests of a stack need done on it before the first of them, wherever it was brought up from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from tasklib import process
from tasklib.errors import ConfigError
from tasklib.events import Event, Notice
from tasklib.pipeline.containers import Beside
from tasklib.pipeline.databases import keep_databases
from tasklib.pipeline.suites.planning import SuiteOptions, plan_suite
from tasklib.pipeline.suites.suite import Suite
from tasklib.project import Project
from tasklib.results import Stage, Target
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.holding.run import RunContext

__all__ = ["set_up"]


def set_up(
    project: Project,
    held: HeldStack,
    context: RunContext,
    reachable: Mapping[str, str],
    emit: Callable[[Event], None],
    cancel: process.Cancel,
) -> None:
    """Do the setup of the suite that a stack is for, and keep its databases where tests ask for copies.

    ``reachable`` are the variables of its endpoints. Raises
    :class:`~tasklib.stacks.compose.failures.NotReady` with what a step that failed said.
    """
    name = held.stack.plan.name
    own = next((service.tests for service in project.services if service.name == name), None)
    if tests := own if name else project.integration:
        target = Target(Stage.SERVICE if name else Stage.INTEGRATION, name or project.suite)
        beside = Beside.of(project, held.stack, target, context.environment, emit, cancel)
        outside = {**os.environ, **context.environment, **reachable}
        beside.set_up(tests.setup, outside, tests.env, lambda: _suite(project, target))
    keep_databases(held, project, context.engine, lambda text: emit(Notice(text, "warning")), set_up=True)


def _suite(project: Project, target: Target) -> Suite | None:
    """The tests that the setup is for, where they can be run: the stack is wanted in any case."""
    try:
        return plan_suite(project, target, SuiteOptions())
    except ConfigError:
        return None

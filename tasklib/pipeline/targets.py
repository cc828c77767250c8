"""One target from nothing to its result: its stack if it has one, its tests, its clean-up."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import ConfigError, Interrupted, TasklibError, UsageError, engine_restarted
from tasklib.events import Event, Notice, Output, Progress
from tasklib.listener import Listener
from tasklib.pipeline.commons import Commons
from tasklib.pipeline.containers import Beside
from tasklib.pipeline.options import Options
from tasklib.pipeline.session import Session
from tasklib.pipeline.suites.addresses import warning
from tasklib.pipeline.suites.planning import plan_suite, tests_of
from tasklib.pipeline.suites.suite import Suite
from tasklib.pipeline.target_stack import Phases, TargetStack
from tasklib.pipeline.target_tests import TargetTests
from tasklib.pipeline.turns import Turns
from tasklib.project import Project
from tasklib.results import Outcome, Phase, Target, TargetResult
from tasklib.shown.ages import ago
from tasklib.siblings.lacking import missed
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.holding.fleet import Fleet
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.images.shared import shared_images
from tasklib.stacks.plan import StackPlan, full_stack_plan, service_stack_plan

__all__ = ["Execution"]

_A_DAY = 86400.0
"""Seconds that a stack stays on which tests failed, where nobody wants it away earlier."""


class _TargetListener(Listener):
    """What happens to a stack, as events of the target that it is brought up for."""

    def __init__(self, target: Target, emit: Callable[[Event], None]) -> None:
        self._target = target
        self._emit = emit

    def waits(self, text: str) -> None:
        self._emit(Progress(self._target, text))

    def line(self, line: str) -> None:
        self._emit(Output(self._target, line))

    def notice(self, text: str) -> None:
        self._emit(Notice(text, "warning", self._target))


class Execution:
    """Runs single targets; knows nothing of their order."""

    def __init__(
        self,
        project: Project,
        options: Options,
        fleet: Fleet,
        turns: Turns,
        emit: Callable[[Event], None],
        cancel: process.Cancel,
        session: Session | None = None,
    ) -> None:
        """``turns`` are those on this machine. With a ``session`` the stacks are its, and stay."""
        self.starved: set[Target] = set()
        """Those of whose stacks it was told that memory did not suffice for them."""
        self._session = session
        self._turns = turns
        self._project = project
        self._options = options
        self._fleet = fleet
        self._emit = emit
        self._cancel = cancel
        self._commons = Commons(project.root, lambda text: emit(Notice(text, "info")))
        self._builds: dict[str, Builds] = {}
        self._shared_images = shared_images(project, lambda text: emit(Notice(text, "warning")))
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def stack_plan(self, service: str | None) -> StackPlan:
        """The stack of a service, or the full one. Raises :class:`~tasklib.errors.ConfigError` without it."""
        if service is None:
            return full_stack_plan(self._project)
        return service_stack_plan(self._project, next(s for s in self._project.services if s.name == service))

    def place(self, plans: Sequence[StackPlan]) -> tuple[RunContext, ...]:
        """The engine of each stack. Raises :class:`~tasklib.errors.EngineError`."""
        placed = self._fleet.place(plans)
        found = zip(plans, placed, strict=True)
        return tuple(self._stays(plan, other) for plan, other in found) if self._session else placed

    def _stays(self, plan: StackPlan, other: RunContext) -> RunContext:
        """Where the session has a stack, unless that engine has died; else on the ``other`` one."""
        there = self._session.place_of(plan) if self._session else None
        if there is None or there is other:
            return other
        if self._fleet.several and not there.engine.heart.beats():
            what = f"{plan.title} moves to {other.listed}: {there.listed} stopped answering"
            self._emit(Notice(what, "warning"))
            return other
        return there

    def stack(self, target: Target, plan: StackPlan, context: RunContext) -> TargetStack:
        """The stack of ``plan`` on behalf of ``target``, on the engine of ``context``; nothing happens."""
        with self._lock:
            made = Builds(context.engine, context, self._shared_images)
            builds = self._builds.setdefault(context.engine.facts.id, made)
        phases = Phases(target, self._emit)
        listener, options = _TargetListener(target, self._emit), self._options
        if self._session:
            held = self._session.held(plan, listener, context)
        else:
            held = HeldStack(context, plan, keep=options.keep, fresh=options.fresh, listener=listener)
        return TargetStack(
            held,
            builds,
            phases,
            self._turns.on(context.engine.facts, context.state),
            self._commons,
            self._cancel,
            last=plan.name is None,
            stays=self._session is not None,
        )

    def tests(self, target: Target) -> TargetTests:
        """The target's tests; nothing happens yet."""
        env = {**os.environ, **self._fleet.first.environment}
        return TargetTests(lambda: self._suite(target), env, self._emit, self._cancel)

    def _suite(self, target: Target) -> Suite:
        suite = plan_suite(self._project, target, self._options.of_suites)
        for note in suite.notes:
            with self._lock:
                new = note not in self._told
                self._told.add(note)
            if new:
                self._emit(Notice(note, "warning"))
        return suite

    def alone(self, target: Target) -> TargetResult:
        """Tests that are run against nothing."""
        if service := tests_of(self._project, target).inside:
            raise ConfigError(
                f"`in` names {service}, and there is no Compose file",
                where=str(self._project.config or self._project.root),
                remedy="Name it as `compose.test` in [tool.tasklib].",
            )
        with closing(self.tests(target)) as tests:
            return self._tested(target, lambda: tests.run({}), Phases(target, self._emit))

    def against(self, target: Target, stack: TargetStack, tests: TargetTests) -> TargetResult:
        """Tests against a stack, brought up unless it is up already.

        Where that is wanted, a stack on which tests did not pass stays.
        """
        try:
            result = self._against(target, stack, tests)
        except Interrupted:
            raise
        except TasklibError:
            self._keep_failed(target, stack)
            raise
        if result.outcome in (Outcome.FAILED, Outcome.ERROR):
            self._keep_failed(target, stack)
        return result

    def _keep_failed(self, target: Target, stack: TargetStack) -> None:
        if self._options.keep_failed and not self._cancel.is_set() and (until := stack.keep_failed(_A_DAY)):
            self._emit(Notice(self._way_to(target, stack, until), "info", target))

    def _way_to(self, target: Target, stack: TargetStack, until: float) -> str:
        """What a stack that stays is, how it is reached, and when it goes."""
        name = stack.stack.plan.name
        words = ("--name", name) if name else ()
        caller = self._options.caller
        reach = f'`eval "$({caller.line("infra.env", *words)})"`'
        return (
            f"{stack.stack.project} stays: {reach} reaches it, `{caller.line('infra.logs')}` has its logs; "
            f"it goes with the next run of {target}, with `{caller.line('infra.down')}`, "
            f"or after {time.strftime('%a %H:%M', time.localtime(until))}"
        )

    def _against(self, target: Target, stack: TargetStack, tests: TargetTests) -> TargetResult:
        with closing(tests):
            stack.prepare()
            self._tell_fixed_addresses(target, stack)
            stack.up()
            self._tell_age(target, stack)
            began = time.time()
            # The stack's phases are those of the target that it was brought up for; others only test.
            phases = stack.phases if stack.phases.target == target else Phases(target, self._emit)
            # A stack that several targets are tested on is counted once, one elsewhere not on this machine.
            counts = stack.phases.target == target and not stack.context.engine.facts.apart
            memory = stack.memory if counts else 0
            own = stack.context.environment
            variables = {**own, **stack.variables(self._project, stack.context.state)}
            said = tests_of(self._project, target)
            beside = Beside.of(
                self._project,
                stack.stack,
                target,
                own,
                self._emit,
                self._cancel,
            )
            if said.setup:
                with self._turns.turn(target, memory), phases.phase(Phase.START):
                    beside.set_up(said.setup, {**os.environ, **variables}, said.env, tests.plan)
            stack.keep_databases(self._project, stack.context.engine)
            if said.inside:
                with beside.container(said.inside) as (launch, env):
                    result = self._tested(target, lambda: tests.run_inside(launch, env), phases, memory)
            else:
                result = self._tested(target, lambda: tests.run(variables), phases, memory)
        # Wrong arguments are the command line's fault: no container has anything to say about them.
        if result.outcome in (Outcome.FAILED, Outcome.ERROR) and result.exit_code != UsageError.exit_code:
            result = replace(result, logs=stack.logs(began))
            if (ended := stack.ended()) and stack.outlived_engine():
                # The tests have said nothing: they could not run to their end.
                raise engine_restarted()
            for line in ended:
                self._emit(Notice(line, "warning", target))
            for service in stack.starved():
                self.starved.add(target)
                what = f"the kernel ended a process of {service}: no memory was left, by its own limit or on "
                self._emit(Notice(f"{what}the machine; that may be why", "warning", target))
            for service in stack.forgot():
                what = f"{service} restarted; its data was in memory and is gone: "
                what += f'`persistent = ["{service}"]` in [tool.tasklib] keeps it'
                self._emit(Notice(what, "warning", target))
        return result

    def _tell_age(self, target: Target, stack: TargetStack) -> None:
        if (since := stack.since) and stack.phases.target == target and not self._session:
            what = f"{stack.stack.plan.title} was kept, with data from {ago(time.time() - since)}"
            self._emit(Notice(f"{what} (`--fresh` renews it)", "info", target))

    def _tell_fixed_addresses(self, target: Target, stack: TargetStack) -> None:
        """Say it before anything starts: such tests reach nothing, or another stack."""
        said = tests_of(self._project, target)
        if not said.inside:
            published = stack.stack.prepared.isolation.published
            if told := warning(said.paths, published, self._project.root):
                self._emit(Notice(told, "warning", target))

    def _tested(
        self, target: Target, run: Callable[[], TargetResult], phases: Phases, memory: int = 0
    ) -> TargetResult:
        with self._turns.turn(phases.target, memory), phases.phase(Phase.TEST):
            result = run()
        target = result.target
        for line in missed((found.message for found in result.failures), self._folder(target)):
            self._emit(Notice(line, "warning", target))
        spent = phases.seconds
        return replace(result, rerun=self.rerun(target), phases=spent, seconds=sum(spent.values()))

    def _folder(self, target: Target) -> Path:
        folders = {service.name: service.path for service in self._project.services}
        return folders.get(target.service, self._project.root)

    def failure(self, target: Target, error: TasklibError) -> TargetResult:
        """What an error makes of a target."""
        outcome = Outcome.INTERRUPTED if isinstance(error, Interrupted) else Outcome.ERROR
        return TargetResult(
            target,
            outcome,
            reason=error.line,
            logs=error.logs if isinstance(error, NotReady) else (),
            rerun=self.rerun(target),
            exit_code=error.exit_code,
        )

    def rerun(self, target: Target) -> str:
        """The command that repeats ``target``; options can be added at its end."""
        # What made a slow test fail has to do so again.
        slow = ("--fail-slow",) if self._options.fail_slow else ()
        caller = self._options.caller
        name = target.service
        # After Nox's `--` there is always a word: a `-k` that followed the session would be Nox's own.
        named = caller.sessions or not self._project.single
        words = (f"--name={name}",) if name.startswith("-") else ("--name", name)
        return caller.line(f"test.{target.stage}", *(words if named else ()), *slow)

"""One target from nothing to its result: its stack if it has one, its tests, its clean-up."""

from __future__ import annotations

import os
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import closing, contextmanager
from dataclasses import replace
from types import MappingProxyType

from tasklib import process
from tasklib.errors import Interrupted, TasklibError, UsageError
from tasklib.events import Event, Output, PhaseFinished, PhaseStarted, Progress
from tasklib.pipeline.options import Options
from tasklib.pipeline.suite import SuiteOptions
from tasklib.pipeline.suites import plan_suite
from tasklib.pipeline.target_tests import TargetTests
from tasklib.project import Project
from tasklib.results import ContainerLog, Outcome, Phase, Target, TargetResult
from tasklib.stacks.builds import Builds
from tasklib.stacks.context import RunContext
from tasklib.stacks.endpoints import endpoint_variables
from tasklib.stacks.failures import NotReady
from tasklib.stacks.held import HeldStack
from tasklib.stacks.plans import full_stack_plan, service_stack_plan
from tasklib.stacks.preparation import StackPlan

__all__ = ["Execution", "TargetStack"]

_SOON = 2.0
"""Seconds that creating containers is given to end when nobody needs them any more."""


class Phases:
    """Measures the phases of a target and tells of their beginning and end."""

    def __init__(self, target: Target, emit: Callable[[Event], None]) -> None:
        self.target = target
        self._emit = emit
        self._seconds: dict[Phase, float] = {}

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        began = time.monotonic()
        self._emit(PhaseStarted(self.target, phase))
        try:
            yield
        finally:
            self._seconds[phase] = self._seconds.get(phase, 0.0) + time.monotonic() - began
            self._emit(PhaseFinished(self.target, phase))

    @property
    def seconds(self) -> Mapping[Phase, float]:
        return MappingProxyType(dict(self._seconds))


class TargetStack:
    """A held stack as one target (the first of its stage) sees it; each step happens once, on demand."""

    def __init__(
        self,
        held: HeldStack,
        builds: Builds,
        phases: Phases,
        cancel: process.Cancel,
        hide: Callable[[Mapping[str, str]], None],
    ) -> None:
        self.phases = phases
        self._held = held
        self._builds = builds
        self._cancel = process.Cancel(cancel)
        self._hide = hide
        self._prepared = _Once(self._prepare)
        self._created = _Once(self._create)
        self._up = _Once(self._bring_up)
        self._closed = _Once(self._close)

    def prepare(self) -> None:
        """Render, isolate and build. Raises :class:`~tasklib.errors.TasklibError`."""
        self._prepared()

    def create(self) -> None:
        """Prepare, and make the containers. Raises :class:`~tasklib.errors.TasklibError`."""
        self._created()

    def up(self) -> None:
        """Bring up and wait. Raises :class:`~tasklib.errors.TasklibError`."""
        self._up()

    def _prepare(self) -> None:
        with self.phases.phase(Phase.BUILD):
            self._held.prepare(self._cancel)
            for variables in self._held.variables():
                self._hide(variables)
            self._held.build(self._builds, self._cancel)

    def _create(self) -> None:
        self.prepare()
        if self._held.take_ahead(self._cancel):
            with self.phases.phase(Phase.BUILD):
                self._held.create(self._cancel)

    def _bring_up(self) -> None:
        self.create()
        with self.phases.phase(Phase.START):
            self._held.up(self._cancel)

    def variables(self, project: Project) -> dict[str, str]:
        """The endpoints as they are now."""
        source = str(project.config) if project.config else None
        return endpoint_variables(
            self._held.config, self._held.endpoints(), project.endpoints, source=source
        ) | {"COMPOSE_PROJECT_NAME": self._held.project}

    def logs(self, since: float) -> tuple[ContainerLog, ...]:
        try:
            return self._held.logs(since=since)
        except TasklibError:
            return ()

    def close(self) -> None:
        """Take the stack down, unless it is kept; a step under way in another thread is ended."""
        self._closed()

    def _close(self) -> None:
        if self._held.touched:
            # The engine would go on creating for a client that is ended: better it is done.
            self._created.wait(_SOON)
        self._cancel.set("not needed any more")
        for step in (self._prepared, self._created, self._up):
            step.forbid()
        if self._held.touched:
            with self.phases.phase(Phase.CLEAN):
                self._held.close()


class _Once:
    """A step that is done by whoever asks first; everyone else waits and gets the same outcome."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._future: Future[None] | None = None

    def __call__(self) -> None:
        with self._lock:
            mine = self._future is None
            if self._future is None:
                self._future = Future()
            future = self._future
        if mine:
            try:
                self._work()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(None)
        future.result()

    def wait(self, seconds: float) -> None:
        """Until it is not under way, but no longer than ``seconds``."""
        with self._lock:
            future = self._future
        if future:
            wait([future], seconds)

    def forbid(self) -> None:
        """Let nobody start it any more; returns once it is not under way."""
        with self._lock:
            future = self._future
            if future is None:
                self._future = Future()
                self._future.set_exception(Interrupted("not needed any more"))
                return
        future.exception()


class Execution:
    """Runs single targets; knows nothing of their order."""

    def __init__(
        self,
        project: Project,
        options: Options,
        context: RunContext,
        emit: Callable[[Event], None],
        cancel: process.Cancel,
        hide: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._project = project
        self._options = options
        self._context = context
        self._emit = emit
        self._cancel = cancel
        self._hide = hide
        self._builds: Builds | None = None

    def service_stack(self, target: Target) -> TargetStack:
        """The service's own stack; nothing happens yet."""
        service = next(s for s in self._project.services if s.name == target.service)
        return self._stack(target, service_stack_plan(self._project, service))

    def full_stack(self, targets: Sequence[Target]) -> TargetStack:
        """The full stack, on behalf of the first of ``targets``; nothing happens yet."""
        return self._stack(targets[0], full_stack_plan(self._project))

    def _stack(self, target: Target, plan: StackPlan) -> TargetStack:
        if self._builds is None:
            self._builds = Builds(self._context.engine, self._context)
        phases = Phases(target, self._emit)
        held = HeldStack(
            self._context,
            plan,
            keep=self._options.keep,
            say=lambda text: self._emit(Progress(target, text)),
            on_line=lambda line: self._emit(Output(target, line)),
        )
        return TargetStack(held, self._builds, phases, self._cancel, self._hide)

    def tests(self, target: Target) -> TargetTests:
        """The target's tests; nothing happens yet."""
        options = SuiteOptions(
            keyword=self._options.keyword,
            extra=self._options.extra,
            timeout=self._project.timeout.get(target.stage),
            verbose=self._options.verbose,
        )
        env = {**os.environ, **self._context.environment}
        return TargetTests(lambda: plan_suite(self._project, target, options), env, self._emit, self._cancel)

    def alone(self, target: Target) -> TargetResult:
        """Tests that are run against nothing."""
        with closing(self.tests(target)) as tests:
            return self._run(target, tests, {}, Phases(target, self._emit))

    def against(self, target: Target, stack: TargetStack, tests: TargetTests) -> TargetResult:
        """Tests against a stack, brought up unless it is up already."""
        with closing(tests):
            stack.up()
            began = time.time()
            # The stack's phases are those of the target that it was brought up for; others only test.
            phases = stack.phases if stack.phases.target == target else Phases(target, self._emit)
            result = self._run(target, tests, stack.variables(self._project), phases)
        # Wrong arguments are the command line's fault: no container has anything to say about them.
        if result.outcome in (Outcome.FAILED, Outcome.ERROR) and result.exit_code != UsageError.exit_code:
            result = replace(result, logs=stack.logs(began))
        return result

    def _run(
        self, target: Target, tests: TargetTests, variables: Mapping[str, str], phases: Phases
    ) -> TargetResult:
        with phases.phase(Phase.TEST):
            result = tests.run(variables)
        spent = phases.seconds
        return replace(result, rerun=self.rerun(target), phases=spent, seconds=sum(spent.values()))

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
        slow = " --fail-slow" if self._options.fail_slow else ""
        if self._options.program == "nox":
            # The bare `nox -s unit -k …` would be Nox's own option: the name keeps the dashes in.
            return f"nox -s {target.stage} -- --name {shlex.quote(target.service)}{slow}"
        names = {service.name for service in self._project.services}
        named = f" --name {target.service}" if target.service in names and not self._project.single else ""
        return f"{self._options.program} test.{target.stage}{named}{slow}"

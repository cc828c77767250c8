"""One run: order, fail-fast, parallelism and overlap of the three stages.

A stage starts when the one before it passed. What needs no verdict starts earlier: images are built and
containers created while unit tests run, the full stack comes up while service tests run, test processes get
ready while their stacks come up, stacks go down while the next stage begins.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

from tasklib import process
from tasklib.errors import InternalError, NothingRan, TasklibError, UsageError
from tasklib.events import Event, Notice, Output, RunFinished, RunStarted, Sink, TargetFinished, TargetStarted
from tasklib.pipeline.options import Options
from tasklib.pipeline.suites.detect import fullstack_files
from tasklib.pipeline.suites.untaken import explain, untaken
from tasklib.pipeline.targets import Execution
from tasklib.process.interrupts import interruptible
from tasklib.project import Environment, Project, targets
from tasklib.results import Outcome, RunResult, Stage, Target, TargetResult
from tasklib.slow_tests import fail_slow
from tasklib.stacks.holding.run import RunContext, open_context

__all__ = ["matching", "plan", "run"]


def run(
    project: Project,
    stages: Sequence[Stage] = tuple(Stage),
    sink: Sink | None = None,
    *,
    options: Options | None = None,
    cancel: process.Cancel | None = None,
    hide: Callable[[Mapping[str, str]], None] = lambda variables: None,
) -> RunResult:
    """Run ``stages`` of ``project``, telling ``sink`` what happens.

    Failing tests, stacks that do not come up and interrupts are results; ``hide`` is told the variables of
    every stack, whose secrets must not be shown, before any event can hold one. Raises a
    :class:`~tasklib.errors.TasklibError` when nothing could be run at all: no such service, no tests, no
    engine.
    """
    options = options or Options()
    cancel = cancel or process.Cancel()
    emit = sink.emit if sink else _nowhere
    began = time.monotonic()
    wanted = plan(project, stages, options)
    with ExitStack() as stack:
        stack.enter_context(interruptible(cancel, lambda text: emit(Notice(text, "warning"))))
        context = stack.enter_context(
            open_context(project, emit, engine=any(needs_stack(project, t) for t in wanted))
        )
        folders = {service.name: str(service.path) for service in project.services}
        emit(
            RunStarted(
                project.name,
                context.instance.id,
                wanted,
                tuple(folders.get(target.service, str(project.root)) for target in wanted),
            )
        )
        if left_out := explain(untaken(project, options.names)):
            emit(Notice(left_out, "warning"))
        results = _Pipeline(project, wanted, options, context, emit, cancel, hide).run()
        result = RunResult(
            tuple(results[target] for target in wanted),
            seconds=time.monotonic() - began,
            interrupted=cancel.is_set(),
        )
    emit(RunFinished(result))
    return result


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
    return targets(
        project,
        stages,
        options.names,
        full_stack=lambda service: bool(fullstack_files(service.tests.paths if service.tests else ())),
    )


def needs_stack(project: Project, target: Target) -> bool:
    """Whether a target's tests are run against a stack.

    Unit tests never are, and neither are those of a single-service project that has no full stack: its
    integration tests bring up what they need themselves.
    """
    if target.stage is Stage.UNIT:
        return False
    return not project.single or bool(project.compose.get(Environment.TEST))


def _nowhere(_: Event) -> None:
    """Where events go that nobody wants."""


class _Pipeline:
    """The stages of one run, with everything they share."""

    def __init__(
        self,
        project: Project,
        targets: Sequence[Target],
        options: Options,
        context: RunContext,
        emit: Callable[[Event], None],
        cancel: process.Cancel,
        hide: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._project = project
        self._targets = targets
        self._emit = emit
        self._cancel = cancel
        self._results: dict[Target, TargetResult] = {}
        self._fail_slow = options.fail_slow
        self._jobs = options.jobs or project.jobs or max(4, 2 * (os.cpu_count() or 1))
        self._execution = Execution(project, options, context, emit, cancel, hide)

    def run(self) -> Mapping[Target, TargetResult]:
        unit, service, integration = (self._of(stage) for stage in Stage)
        own = {target: self._execution.service_stack(target) for target in service}
        full = None
        if integration and needs_stack(self._project, integration[0]):
            full = self._execution.full_stack(integration)
        tests = {target: self._execution.tests(target) for target in [*service, *integration]}
        stacks = [*own.values(), *([full] if full else [])]
        # Targets a few at a time; what may run ahead of them has threads of its own, as has what trails.
        with (
            ThreadPoolExecutor(self._jobs) as pool,
            ThreadPoolExecutor(self._jobs + 1) as ahead,
            ThreadPoolExecutor(len(stacks) + len(tests) or 1) as behind,
        ):
            try:
                first = [*stacks[: self._jobs], *([full] if full else [])]
                for stack in stacks:
                    ahead.submit(stack.create if stack in first else stack.prepare)
                self._stage(pool, unit, self._execution.alone)
                if self._stopped([*service, *integration]):
                    return self._results
                if full:
                    ahead.submit(full.up)
                    ahead.submit(tests[integration[0]].get_ready)

                def serve(target: Target) -> TargetResult:
                    tests[target].get_ready()
                    try:
                        return self._execution.against(target, own[target], tests[target])
                    finally:
                        behind.submit(own[target].close)

                def integrate(target: Target) -> TargetResult:
                    if full is None:
                        return self._execution.alone(target)
                    return self._execution.against(target, full, tests[target])

                self._stage(pool, service, serve)
                if not self._stopped(integration):
                    for target in integration:
                        self._finish(target, integrate)
                return self._results
            finally:
                ends: list[Callable[[], None]] = [
                    *(stack.close for stack in stacks),
                    *(waiting.close for waiting in tests.values()),
                ]
                for closing in [behind.submit(end) for end in ends]:
                    closing.result()

    def _of(self, stage: Stage) -> list[Target]:
        return [target for target in self._targets if target.stage is stage]

    def _stage(
        self, pool: ThreadPoolExecutor, targets: Sequence[Target], work: Callable[[Target], TargetResult]
    ) -> None:
        running: list[Future[None]] = [pool.submit(self._finish, target, work) for target in targets]
        for future in running:
            future.result()

    def _finish(self, target: Target, work: Callable[[Target], TargetResult]) -> None:
        """Have ``work`` done and keep its result; nothing but a result comes out of a target."""
        began = time.monotonic()
        self._emit(TargetStarted(target))
        try:
            result = work(target)
            if self._fail_slow:
                result = fail_slow(result, self._project.slow)
        except TasklibError as error:
            result = self._execution.failure(target, error)
        except Exception as error:
            # A mistake of ours: its traceback is for the log, and the other targets go on.
            for line in traceback.format_exc().splitlines():
                self._emit(Output(target, line))
            what = f"a mistake in tasklib: {type(error).__name__}: {error}"
            result = self._execution.failure(
                target, InternalError(what, remedy="The full log has the details.")
            )
        if self._cancel.is_set() and result.outcome is not Outcome.PASSED:
            # Its own reason may say more: what was running.
            told = result.reason if result.reason.startswith(self._cancel.reason) else self._cancel.reason
            result = replace(result, outcome=Outcome.INTERRUPTED, reason=told)
        if not result.seconds:
            result = replace(result, seconds=time.monotonic() - began)
        self._results[target] = result
        self._emit(TargetFinished(result))

    def _stopped(self, rest: Sequence[Target]) -> bool:
        """Whether nothing more may start; ``rest`` is skipped then, with the reason."""
        good = (Outcome.PASSED, Outcome.SKIPPED)
        bad = [r for r in self._results.values() if r.outcome not in good]
        if not bad and not self._cancel.is_set():
            return False
        reason = "interrupted" if self._cancel.is_set() else f"{bad[0].target.stage} failed"
        for target in rest:
            self._results[target] = TargetResult(target, Outcome.SKIPPED, reason=reason)
            self._emit(TargetFinished(self._results[target]))
        return True

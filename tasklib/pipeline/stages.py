"""One run: order, fail-fast, parallelism and overlap of the three stages.

A stage starts when the one before it passed. What needs no verdict starts earlier: images are built and
containers created while unit tests run, the full stack comes up while service tests run, test processes get
ready while their stacks come up, stacks go down while the next stage begins.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import InternalError, TasklibError
from tasklib.events import Event, Notice, Output, RunFinished, RunStarted, Sink, TargetFinished, TargetStarted
from tasklib.pipeline.options import Options
from tasklib.pipeline.overload import blame, look
from tasklib.pipeline.placed import PlacedStacks
from tasklib.pipeline.plan import jobs, needs_stack, plan, steps_of
from tasklib.pipeline.session import Session
from tasklib.pipeline.skipped import without_running
from tasklib.pipeline.steps import Ahead, Gate, GetReady, Run, TargetStep
from tasklib.pipeline.suites.untaken import explain, untaken
from tasklib.pipeline.target_stack import TargetStack
from tasklib.pipeline.targets import Execution
from tasklib.pipeline.turns import Turns
from tasklib.process.interrupts import interruptible
from tasklib.project import Project
from tasklib.results import Outcome, RunResult, Stage, Target, TargetResult
from tasklib.slow_tests import fail_slow
from tasklib.stacks.holding.fleet import Fleet, open_fleet
from tasklib.stacks.written import foreign_file, ownership
from tasklib.state.places import Turn

__all__ = ["run"]


def run(
    project: Project,
    stages: Sequence[Stage] = tuple(Stage),
    sink: Sink | None = None,
    *,
    options: Options | None = None,
    cancel: process.Cancel | None = None,
    session: Session | None = None,
) -> RunResult:
    """Run ``stages`` of ``project``, telling ``sink`` what happens; in a ``session`` stacks stay up.

    Failing tests, stacks that do not come up and interrupts are results. Raises a
    :class:`~tasklib.errors.TasklibError` when nothing could be run at all: no such service, no tests, no
    engine.
    """
    options = options or Options()
    cancel = cancel or process.Cancel()
    emit = sink.emit if sink else _nowhere
    began = time.monotonic()
    wanted = plan(project, stages, options)
    known = without_running(project, wanted, options)
    left = tuple(target for target in wanted if target not in known)
    with ExitStack() as stack:
        stack.enter_context(interruptible(cancel, lambda text: emit(Notice(text, "warning"))))
        if session:
            session.emit, fleet = emit, session.fleet
        else:
            fleet = stack.enter_context(
                open_fleet(project, emit, engine=any(needs_stack(project, t) for t in left))
            )
        folders = {service.name: str(service.path) for service in project.services}
        emit(
            RunStarted(
                project.name,
                fleet.first.instance.id,
                wanted,
                tuple(folders.get(target.service, str(project.root)) for target in wanted),
                shard=str(options.shard or ""),
                split=options.split,
            )
        )
        if left_out := explain(untaken(project, options.names)):
            emit(Notice(left_out, "warning"))
        for skipped in known.values():
            emit(TargetFinished(skipped))
        ran = _Pipeline(project, left, options, fleet, emit, cancel, session).run() if left else {}
        results = {**known, **ran}
        result = RunResult(
            tuple(results[target] for target in wanted),
            seconds=time.monotonic() - began,
            interrupted=cancel.is_set(),
        )
    emit(RunFinished(result))
    return result


def _nowhere(_: Event) -> None:
    """Where events go that nobody wants."""


class _Pipeline:
    """The stages of one run, with everything they share."""

    def __init__(
        self,
        project: Project,
        targets: Sequence[Target],
        options: Options,
        fleet: Fleet,
        emit: Callable[[Event], None],
        cancel: process.Cancel,
        session: Session | None,
    ) -> None:
        self._project = project
        self._targets = targets
        self._fleet = fleet
        engines = [context.connection.facts for context in fleet.contexts if context.connection]
        self._jobs = jobs(project, options, (facts.cpus for facts in engines if facts.apart))
        self._steps = steps_of(project, targets, self._jobs)
        self._emit = emit
        self._cancel = cancel
        self._results: dict[Target, TargetResult] = {}
        self._began = time.time()
        self._fail_slow = options.fail_slow
        context = fleet.first
        turn = Turn(time.time(), context.run_id, context.command, os.getpid())
        turns = Turns.of_run(context.state, turn, emit, cancel, os.environ, nested=bool(context.outer_runs))
        self._turns = turns
        self._execution = Execution(project, options, fleet, turns, emit, cancel, session)

    def run(self) -> Mapping[Target, TargetResult]:
        stacks = self._stacks()
        tests = {t: self._execution.tests(t) for t in self._targets if t.stage is not Stage.UNIT}
        over = process.Cancel(self._cancel)
        # Targets a few at a time; what may run ahead of them has threads of its own, as has what trails.
        with (
            ThreadPoolExecutor(self._jobs) as pool,
            ThreadPoolExecutor(self._jobs + 1) as ahead,
            ThreadPoolExecutor(2 * len(tests) or 1) as behind,
        ):

            def do(test: TargetStep) -> TargetResult:
                if test.stack is None:
                    return self._execution.alone(test.target)
                if not test.afterwards:
                    return stacks.against(test.target, test.stack, tests[test.target])
                tests[test.target].get_ready()
                try:
                    return stacks.against(test.target, test.stack, tests[test.target])
                finally:
                    behind.submit(stacks.close, test.stack)

            def at_leisure(work: Callable[..., None], *arguments: object) -> None:
                if self._turns.leisure(over):
                    work(*arguments)

            try:
                for step in self._steps:
                    match step:
                        case Ahead(key, effort):
                            ahead.submit(at_leisure, stacks.ahead, key, effort)
                        case GetReady(target):
                            ahead.submit(at_leisure, tests[target].get_ready)
                        case Run(wanted, 1):
                            for test in wanted:
                                self._finish(test, do)
                        case Run(wanted):
                            for running in [pool.submit(self._finish, test, do) for test in wanted]:
                                running.result()
                        case Gate(rest):
                            if self._stopped(rest):
                                break
                return self._results
            finally:
                over.set("the run is over")
                ends: list[Callable[[], None]] = [
                    *stacks.closings(),
                    *(waiting.close for waiting in tests.values()),
                ]
                for closing in [behind.submit(end) for end in ends]:
                    closing.result()
                self._tell_of_owners(stacks.every())

    def _tell_of_owners(self, stacks: Collection[TargetStack]) -> None:
        """Say, once a run, that containers left something that is not this user's."""
        user = os.geteuid()
        written = {folder for stack in stacks for folder in stack.writable}
        if user == 0 or not (found := foreign_file(written, user, self._began)):
            return
        name = os.path.relpath(found.path, self._project.root)
        writer = next(s for s in stacks if any(found.path.is_relative_to(folder) for folder in s.writable))
        users = writer.context.engine.facts.users
        self._emit(Notice(ownership(found, name, f"{user}:{os.getegid()}", users), "warning"))

    def _stacks(self) -> PlacedStacks:
        """The stacks that the steps need; nothing happens to them yet."""
        first = next((target for target in self._targets if target.stage is Stage.INTEGRATION), None)
        owners = {
            step.stack: owner
            for step in self._steps
            if isinstance(step, Ahead) and (owner := step.stack.target or first)
        }
        return PlacedStacks(self._execution, self._fleet, owners, self._emit, self._cancel)

    def _finish(self, test: TargetStep, work: Callable[[TargetStep], TargetResult]) -> None:
        """Have ``work`` done and keep its result; nothing but a result comes out of a target."""
        target = test.target
        began, before = time.monotonic(), look()
        self._emit(TargetStarted(target))
        try:
            result = work(test)
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
        if result.outcome in (Outcome.FAILED, Outcome.ERROR) and target not in self._execution.starved:
            said = [result.reason, *(found.message for found in result.failures)]
            if why := blame(before, look(), said):
                self._emit(Notice(why, "warning", target))
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

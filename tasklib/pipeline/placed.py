"""The stacks of a run, each on its engine: where that dies, its targets run again on another one, once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import EngineError, Interrupted, TasklibError
from tasklib.events import Event, Notice, TargetRestarted
from tasklib.pipeline.steps import Effort, StackOf
from tasklib.pipeline.target_stack import TargetStack
from tasklib.pipeline.target_tests import TargetTests
from tasklib.pipeline.targets import Execution
from tasklib.results import Outcome, Target, TargetResult
from tasklib.stacks.holding.fleet import Fleet
from tasklib.stacks.holding.run import RunContext

__all__ = ["PlacedStacks"]


class PlacedStacks:
    """Safe to use from threads."""

    def __init__(
        self,
        execution: Execution,
        fleet: Fleet,
        owners: Mapping[StackOf, Target],
        emit: Callable[[Event], None],
        cancel: process.Cancel,
    ) -> None:
        """``owners`` are the targets on whose behalf each stack is brought up; nothing happens to them yet.

        Raises :class:`~tasklib.errors.TasklibError` where there is no such stack, or no engine any more.
        """
        self._execution = execution
        self._fleet = fleet
        self._owners = owners
        self._emit = emit
        self._cancel = cancel
        self._lock = threading.Lock()
        self._dead: set[str] = set()
        self._left: list[TargetStack] = []
        self._plans = {
            key: execution.stack_plan(key.target.service if key.target else None) for key in owners
        }
        contexts = execution.place(tuple(self._plans.values())) if owners else ()
        self._now = {key: self._made(key, context) for key, context in zip(owners, contexts, strict=True)}

    def _made(self, key: StackOf, context: RunContext) -> TargetStack:
        return self._execution.stack(self._owners[key], self._plans[key], context)

    def ahead(self, key: StackOf, effort: Effort) -> None:
        """Take a stack so far. Raises :class:`~tasklib.errors.TasklibError`, which whoever needs it meets."""
        stack = self._now[key]
        match effort:
            case Effort.PREPARE:
                stack.prepare()
            case Effort.CREATE:
                stack.create()
            case Effort.UP:
                stack.up()

    def every(self) -> tuple[TargetStack, ...]:
        """Those that were on engines that died, too."""
        return (*self._now.values(), *self._left)

    def against(self, target: Target, key: StackOf, tests: TargetTests) -> TargetResult:
        """Run ``tests`` against a stack; again elsewhere where its engine dies meanwhile.

        Raises :class:`~tasklib.errors.TasklibError` as the tests' own run does.
        """
        stack = self._now[key]
        if stack.context.engine.facts.id in self._dead:
            stack = self._moved(key, stack) or stack
        error: TasklibError | None = None
        result: TargetResult | None = None
        try:
            result = self._execution.against(target, stack, tests)
        except Interrupted:
            raise
        except TasklibError as raised:
            error = raised
        fine = result is not None and result.outcome in (Outcome.PASSED, Outcome.SKIPPED)
        if not fine and self._is_lost(stack) and (other := self._moved(key, stack)):
            why = f"run again on {other.context.listed}: {stack.context.listed} stopped answering"
            self._emit(Notice(why, "warning", target))
            self._emit(TargetRestarted(target, why))
            again = self._execution.against(target, other, self._execution.tests(target))
            return replace(again, again=why)
        if error:
            raise error
        assert result
        return result

    def _is_lost(self, stack: TargetStack) -> bool:
        """Whether its engine is dead, and there may be another one."""
        if not self._fleet.several or self._cancel.is_set() or stack.context.engine.heart.beats():
            return False
        self._dead.add(stack.context.engine.facts.id)
        return True

    def _moved(self, key: StackOf, stack: TargetStack) -> TargetStack | None:
        """The same stack on an engine that lives, ``None`` where there is none."""
        with self._lock:
            if self._now[key] is not stack:
                return self._now[key]  # Another target has moved it.
            living = self._fleet.living()
            if not living.contexts:
                return None
            try:
                (context,) = living.place([self._plans[key]])
            except EngineError:
                return None
            self._left.append(stack)
            self._now[key] = self._made(key, context)
            return self._now[key]

    def close(self, key: StackOf) -> None:
        """Take a stack down. Raises :class:`~tasklib.errors.TasklibError` where that cannot be done now."""
        self._closed(self._now[key])

    def closings(self) -> list[Callable[[], None]]:
        """What takes down each of them."""
        return [lambda stack=stack: self._closed(stack) for stack in self.every()]  # type: ignore[misc]

    def _closed(self, stack: TargetStack) -> None:
        try:
            stack.close()
        except TasklibError:
            if not self._is_lost(stack):
                raise
            what = f"{stack.stack.project} is left on {stack.context.listed}, which stopped answering: "
            self._emit(Notice(f"{what}the next run that reaches it removes it", "warning"))

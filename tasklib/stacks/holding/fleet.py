"""A run on the engines of a project's list: a hold on each that answers, and which stack goes where."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from msgspec import Struct

from tasklib.errors import EngineError
from tasklib.events import Event, Notice
from tasklib.project import Project
from tasklib.stacks.address import listed_address
from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.holding.run import RunContext, open_context
from tasklib.stacks.placing import Load, Room, place, places_of
from tasklib.stacks.plan import StackPlan

__all__ = ["Fleet", "open_fleet"]

_SERVICES = 3
"""How many services of the full stack fill a place."""


class Fleet(Struct, frozen=True):
    """The holds of one run, one on each engine, in the order of the project's list; mostly there is one."""

    contexts: tuple[RunContext, ...]

    @property
    def first(self) -> RunContext:
        return self.contexts[0]

    @property
    def several(self) -> bool:
        return len(self.contexts) > 1

    def living(self) -> Fleet:
        """Those that answer now; none of them is an empty fleet."""
        return Fleet(tuple(context for context in self.contexts if context.engine.heart.beats()))

    def keeper(self, plan: StackPlan) -> RunContext | None:
        """Whose engine has the stack since an earlier run kept it."""
        return next((context for context in self.contexts if _keeps(context, plan)), None)

    def place(self, plans: Sequence[StackPlan]) -> tuple[RunContext, ...]:
        """The engine of each stack, of those that answer now; see :func:`~tasklib.stacks.placing.place`.

        Raises :class:`~tasklib.errors.EngineError` when none does.
        """
        if not self.several:
            return (self.first,) * len(plans)
        rooms: dict[str, Room] = {}
        failed: list[EngineError] = []
        for context in self.contexts:
            facts = context.engine.facts
            try:
                rooms[facts.id] = Room(places_of(facts.cpus, facts.memory), context.engine.busy())
            except EngineError as error:
                failed.append(error)
        if not rooms:
            raise failed[0]
        there = [context for context in self.contexts if context.engine.facts.id in rooms]
        keepers = [Fleet(tuple(there)).keeper(plan) for plan in plans]
        loads = [
            Load(self._weight(plan), there.index(keeper) if keeper else None)
            for plan, keeper in zip(plans, keepers, strict=True)
        ]
        return tuple(there[number] for number in place(loads, tuple(rooms.values())))

    def _weight(self, plan: StackPlan) -> int:
        return 1 if plan.name else -(-max(1, len(self.first.project.services)) // _SERVICES)


def _keeps(context: RunContext, plan: StackPlan) -> bool:
    return context.kept.keeps(context.instance.project(plan.name), context.instance.checkout)


@contextlib.contextmanager
def open_fleet(
    project: Project,
    emit: Callable[[Event], None] = lambda event: None,
    *,
    engine: bool = True,
    holds: bool = True,
    gives_out: bool = False,
) -> Iterator[Fleet]:
    """A run of ``project`` on every engine that it lists and that answers; the rest is named in a line each.

    Without a list it is one on the engine that the environment names. For the rest see
    :func:`~tasklib.stacks.holding.run.open_context`. Raises :class:`~tasklib.errors.EngineError` where none
    answers.
    """
    if not engine or not project.engines:
        with open_context(project, emit, engine=engine, holds=holds, gives_out=gives_out) as context:
            yield Fleet((context,))
        return
    run_id = secrets.token_hex(8)
    contexts: list[RunContext] = []
    failed: dict[str, EngineError] = {}
    with ExitStack() as opened:
        for name in project.engines:
            try:
                connected = _connected(project, name, strict=holds or gives_out)
                if same := [c for c in contexts if c.engine.facts.id == connected.facts.id]:
                    connected.close()
                    emit(Notice(f"engine {name} is left out: it is {same[0].listed}", "warning"))
                    continue
                held = open_context(
                    project,
                    emit,
                    holds=holds,
                    gives_out=gives_out,
                    connected=connected,
                    run_id=run_id,
                    listed=name,
                    first=not contexts,
                )
                contexts.append(opened.enter_context(held))
            except EngineError as error:
                failed[name] = error
                emit(Notice(f"engine {name} is left out: {error.what}", "warning"))
        if not contexts:
            raise EngineError(
                f"none of the engines answers: {'; '.join(f'{n}: {e.what}' for n, e in failed.items())}",
                where=str(project.config),
                remedy="Start one of them, or name others as `engines` in [tool.tasklib].",
            )
        yield Fleet(tuple(contexts))


def _connected(project: Project, name: str, *, strict: bool) -> DockerEngine:
    return DockerEngine.connect(project.reach, strict=strict, elsewhere=listed_address(name))

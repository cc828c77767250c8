"""What outlives single runs that follow each other: one hold on the engine, and stacks that stay up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from tasklib.errors import TasklibError
from tasklib.events import Event, Notice
from tasklib.listener import Listener
from tasklib.pipeline.options import Options
from tasklib.project import Project
from tasklib.stacks.holding.fleet import Fleet, open_fleet
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.plan import StackPlan

__all__ = ["Session", "open_session"]


class Session:
    """The stacks of runs one after another; made by :func:`open_session`.

    ``emit`` hears what happens: it is whatever run is under way that sets it.
    """

    def __init__(self, options: Options, emit: Callable[[Event], None]) -> None:
        self.emit = emit
        self._options = options
        self._fleet: Fleet | None = None
        self._held: dict[str | None, HeldStack] = {}
        self._left: list[HeldStack] = []

    @property
    def fleet(self) -> Fleet:
        assert self._fleet
        return self._fleet

    def place_of(self, plan: StackPlan) -> RunContext | None:
        """The hold on the engine that has the stack of ``plan`` from the run before."""
        held = self._held.get(plan.name)
        return held.context if held and not held.closed else None

    def held(self, plan: StackPlan, listener: Listener, context: RunContext) -> HeldStack:
        """The stack of ``plan`` on the engine of ``context``, as the run before left it."""
        before = self._held.pop(plan.name, None)
        # On an engine that has died: it is used again where that comes back, or goes when the session ends.
        self._left += [before] if before and not before.closed else []
        mine = (h for h in self._left if h.context is context and h.stack.plan.name == plan.name)
        if held := next(mine, None):
            self._left.remove(held)
            held.again(plan, listener)
        else:
            options = self._options
            held = HeldStack(context, plan, keep=options.keep, fresh=options.fresh, listener=listener)
        self._held[plan.name] = held
        return held

    @property
    def lost(self) -> bool:
        """Whether none of the engines that it began with answers any more."""
        contexts = self.fleet.contexts
        return all(c.connection is not None and not c.connection.heart.beats() for c in contexts)

    def open(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def close(self) -> None:
        """Take down what is not kept; what cannot be removed now is told."""
        for held in (*self._held.values(), *self._left):
            if held.closed:
                continue
            try:
                held.close()
            except TasklibError as error:
                self.emit(Notice(error.line, "warning"))


@contextlib.contextmanager
def open_session(
    project: Project, options: Options, emit: Callable[[Event], None], *, engine: bool
) -> Iterator[Session]:
    """A session of ``project``; ``engine`` is whether any of its runs has a stack.

    Raises :class:`~tasklib.errors.EngineError` without a usable engine.
    """
    session = Session(options, emit)
    with open_fleet(project, lambda event: session.emit(event), engine=engine) as fleet:
        session.open(fleet)
        try:
            yield session
        finally:
            session.emit = emit
            session.close()

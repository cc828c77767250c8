"""What outlives single runs that follow each other: one hold on the engine, and stacks that stay up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from tasklib.errors import TasklibError
from tasklib.events import Event, Notice
from tasklib.listener import Listener
from tasklib.pipeline.options import Options
from tasklib.project import Project
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.holding.run import RunContext, open_context
from tasklib.stacks.plan import StackPlan

__all__ = ["Session", "open_session"]


class Session:
    """The stacks of runs one after another; made by :func:`open_session`.

    ``emit`` hears what happens: it is whatever run is under way that sets it.
    """

    def __init__(self, options: Options, emit: Callable[[Event], None]) -> None:
        self.emit = emit
        self._options = options
        self._context: RunContext | None = None
        self._held: dict[str | None, HeldStack] = {}

    @property
    def context(self) -> RunContext:
        assert self._context
        return self._context

    def held(self, plan: StackPlan, listener: Listener) -> HeldStack:
        """The stack of ``plan``, as the run before left it."""
        held = self._held.get(plan.name)
        if held and not held.closed:
            held.again(plan, listener)
        else:
            options = self._options
            held = HeldStack(self.context, plan, keep=options.keep, fresh=options.fresh, listener=listener)
            self._held[plan.name] = held
        return held

    def open(self, context: RunContext) -> None:
        self._context = context

    def close(self) -> None:
        """Take down what is not kept; what cannot be removed now is told."""
        for held in self._held.values():
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
    with open_context(project, lambda event: session.emit(event), engine=engine) as context:
        session.open(context)
        try:
            yield session
        finally:
            session.emit = emit
            session.close()

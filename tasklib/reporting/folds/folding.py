"""Events folded once for all reporters, each of which only draws from the run so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from tasklib.events import Event, Sink
from tasklib.reporting.folds.run import RunState, advance

__all__ = ["EventsAlone", "Folding", "Reporter"]


class Reporter(Protocol):
    """Is told of every event, and of the run after it."""

    def tell(self, event: Event, run: RunState) -> None: ...


class Folding:
    """A sink that keeps the run so far, and tells ``reporters`` of it in this order."""

    def __init__(self, *reporters: Reporter) -> None:
        self._reporters: Sequence[Reporter] = reporters
        self._run = RunState()

    def emit(self, event: Event) -> None:
        self._run = advance(self._run, event)
        for reporter in self._reporters:
            reporter.tell(event, self._run)


class EventsAlone(Struct, frozen=True):
    """A reporter for a sink that needs nothing but the events."""

    sink: Sink

    def tell(self, event: Event, run: RunState) -> None:
        self.sink.emit(event)

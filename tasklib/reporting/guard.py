"""A report that breaks (a full disk, a closed pipe) must not break the run it reports on."""

from __future__ import annotations

from collections.abc import Callable

from tasklib.events import Event, Sink
from tasklib.reporting.words.text import one_line

__all__ = ["GuardedSink"]


class GuardedSink:
    """Hands events on until the sink fails for the first time, then tells ``complain`` once and stops."""

    def __init__(self, sink: Sink, what: str, complain: Callable[[str], None]) -> None:
        self._sink: Sink | None = sink
        self._what = what
        self._complain = complain

    def emit(self, event: Event) -> None:
        if self._sink is None:
            return
        try:
            self._sink.emit(event)
        except BrokenPipeError:
            # Whoever read the lines has gone (`| head`): there is nobody to tell.
            self._sink = None
        except Exception as error:
            self._sink = None
            self._complain(f"{self._what} stopped: {one_line(str(error)) or type(error).__name__}")

"""Secrets never reach a sink: their values are replaced in every event."""

from __future__ import annotations

from tasklib.events import Event, Sink
from tasklib.shown.masking import masked

__all__ = ["MaskedSink"]


class MaskedSink:
    """Hands every event on without the secrets that this process knows by then."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def emit(self, event: Event) -> None:
        self._sink.emit(masked(event))

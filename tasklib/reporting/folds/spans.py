"""PURE: what a target does when, as spans of time that follow each other."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from tasklib.events import PhaseFinished, PhaseStarted, Progress, TargetFinished, TargetStarted
from tasklib.results import Phase, Target

__all__ = ["Activity", "Course", "Span", "SpanEvent"]

SpanEvent = TargetStarted | PhaseStarted | PhaseFinished | Progress | TargetFinished


class Activity(StrEnum):
    """What a target does in a span of time: a phase, or waiting for its turn between two of them."""

    BUILD = "build"
    """Its images are built."""
    START = "start"
    """Its stack starts, until it is ready."""
    TEST = "test"
    """Its tests run."""
    CLEAN = "clean"
    """Its stack is removed."""
    WAIT = "wait"
    """It waits for its turn."""


class Span(Struct, frozen=True):
    """What a target did for a while."""

    target: Target
    activity: Activity
    start: float
    """When that began."""
    end: float
    """When that ended."""
    notes: tuple[str, ...] = ()
    """The texts of its `progress` events in that time."""

    @property
    def seconds(self) -> float:
        return self.end - self.start


class Course(Struct, frozen=True):
    """The spans that have ended, and what is open since ``since``: a phase, or waiting for one."""

    target: Target
    spans: tuple[Span, ...] = ()
    phase: Phase | None = None
    since: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def phases(self) -> dict[Phase, float]:
        """The seconds of every phase that has ended, the latest one last."""
        found: dict[Phase, float] = {}
        for span in self.spans:
            if span.activity is not Activity.WAIT:
                phase = Phase(span.activity)
                found[phase] = found.pop(phase, 0.0) + max(0.0, span.seconds)
        return found

    def after(self, event: SpanEvent) -> Course:
        match event:
            case TargetStarted():
                # Images may have been built before the target's own turn.
                return self if self.since else replace(self, since=event.at)
            case PhaseStarted():
                # What it was at while it waited says what it waited for.
                waited = self.phase is None and 0 < self.since < event.at
                spans = self._with(Activity.WAIT, event.at) if waited else self.spans
                return Course(self.target, spans, event.phase, event.at)
            case PhaseFinished():
                return self._ended(event.at)
            case TargetFinished():
                return self if self.phase is None else self._ended(event.at)
            case Progress():
                known = not event.text or event.text in self.notes[-1:]
                return self if known else replace(self, notes=(*self.notes, event.text))

    def _ended(self, at: float) -> Course:
        spans = self.spans if self.phase is None else self._with(Activity(self.phase), at)
        return Course(self.target, spans, None, at)

    def _with(self, activity: Activity, end: float) -> tuple[Span, ...]:
        return (*self.spans, Span(self.target, activity, self.since, end, self.notes))

"""When what happened, what waited for what, and which path decided how long the run took. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tasklib.reporting.files.record import RunRecord
from tasklib.reporting.folds.spans import Activity, Span
from tasklib.results import Target

__all__ = ["Wait", "critical_path", "span_seconds", "waits"]

_SLACK = 0.25
"""Seconds between the end of one thing and the begin of what waited for it: threads and events take time."""

_SLACK_OF_RUN = 0.02
"""The same as a part of the whole run: a busy machine is late for everything."""


class Wait(Struct, frozen=True):
    """A target waited for another one."""

    target: Target
    """The target that waited."""
    start: float
    """When it began to wait."""
    end: float
    """When it went on."""
    blocker: Span | None = None
    """What had to end before; null if unknown."""

    @property
    def seconds(self) -> float:
        return self.end - self.start


def _busy(record: RunRecord) -> list[Span]:
    """All spans in which something was done, longest-ending last."""
    spans = [span for target in record.targets for span in target.spans]
    return sorted((span for span in spans if span.activity is not Activity.WAIT), key=lambda span: span.end)


def waits(record: RunRecord, *, least: float = 0.05) -> tuple[Wait, ...]:
    """Every wait of at least ``least`` seconds, with the span whose end let the target go on."""
    busy = _busy(record)
    slack = _slack(record)
    found: list[Wait] = []
    for target in record.targets:
        begin = record.started
        for span in target.spans:
            # Before its first span a target waited for the run to come to it.
            if span is target.spans[0] and span.start - begin >= least:
                found.append(
                    Wait(target.target, begin, span.start, _blocker(busy, span.start, span.target, slack))
                )
            if span.activity is Activity.WAIT and span.seconds >= least:
                found.append(
                    Wait(target.target, span.start, span.end, _blocker(busy, span.end, span.target, slack))
                )
    return tuple(found)


def _slack(record: RunRecord) -> float:
    return max(_SLACK, _SLACK_OF_RUN * (record.finished - record.started))


def _blocker(busy: Sequence[Span], at: float, waiting: Target, slack: float) -> Span | None:
    """What another target ended last before ``at``, if that was just before."""
    ended = [
        span
        for span in busy
        if span.target != waiting and at - slack <= span.end <= at + 0.001 and span.start < at
    ]
    # Tests end stages, so their end is what is waited for; cleaning ends about then by chance.
    verdicts = [span for span in ended if span.activity is Activity.TEST]
    return max(verdicts or ended, key=lambda span: span.end, default=None)


def critical_path(record: RunRecord) -> tuple[Span, ...]:
    """The spans that followed each other without a gap to the end of the run, first to last.

    Shortening anything else would not have made the run shorter. Found backwards: before a span came what
    its own target did right before, else what ended last just before it began.
    """
    busy = _busy(record)
    if not busy:
        return ()
    slack = _slack(record)
    path = [busy[-1]]
    while True:
        first = path[-1]
        before = [
            span
            for span in busy
            if span.end <= first.start + 0.001 and span.start < first.start and span not in path
        ]
        near = [span for span in before if span.end >= first.start - slack]
        own = [span for span in near if span.target == first.target]
        if not near:
            break
        path.append(own[-1] if own else (_blocker(near, first.start, first.target, slack) or near[-1]))
    return tuple(reversed(path))


def span_seconds(record: RunRecord) -> dict[Activity, float]:
    """The seconds spent on each activity, summed over all targets."""
    found: dict[Activity, float] = {}
    for target in record.targets:
        for span in target.spans:
            found[span.activity] = found.get(span.activity, 0.0) + span.seconds
    return found

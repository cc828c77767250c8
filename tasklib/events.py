"""The frozen events that every part speaks.

The core emits them to a sink it was handed; reporters alone know about terminals, files and CI systems.
Times are seconds since the epoch (``time.time()``), durations are seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tasklib.results import Phase, RunResult, Target, TargetResult, TestResult

__all__ = [
    "Bus",
    "Event",
    "Notice",
    "Output",
    "PhaseFinished",
    "PhaseStarted",
    "Progress",
    "RunFinished",
    "RunStarted",
    "Sink",
    "TargetFinished",
    "TargetRestarted",
    "TargetStarted",
    "TestFinished",
    "TestStarted",
    "TestsCollected",
]


@dataclass(frozen=True)
class RunStarted:
    """The plan: every target of every stage, in order.

    ``folders`` are the targets' folders (absolute, in the same order), to which the files of their tests
    are relative; empty where nobody knows them. ``shard`` is the share of one machine among several that this
    is (``2/4``), empty for a whole run, ``split`` a digest of what all of these machines have to agree on.
    """

    project: str
    instance: str
    targets: tuple[Target, ...]
    folders: tuple[str, ...] = ()
    shard: str = ""
    split: str = ""
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class TargetStarted:
    """Work for this target begins."""

    target: Target
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class TargetRestarted:
    """What the target has done so far does not count: it begins anew, for ``reason``."""

    target: Target
    reason: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class PhaseStarted:
    target: Target
    phase: Phase
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class PhaseFinished:
    target: Target
    phase: Phase
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Progress:
    """What a phase is at, for people: a build step, the container that is waited for. Empty: nothing."""

    target: Target
    text: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class TestsCollected:
    """How many tests the target has; a later one replaces an earlier one."""

    __test__ = False

    target: Target
    total: int
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class TestStarted:
    """A test begins; ``worker`` tells parallel ones of a target apart."""

    __test__ = False

    target: Target
    id: str
    worker: str = ""
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class TestFinished:
    __test__ = False

    target: Target
    result: TestResult
    worker: str = ""
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Output:
    """One line that a child wrote (its test runner or Compose), as it came."""

    target: Target
    line: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Notice:
    """One line for the user that belongs to no target, or to the given one."""

    text: str
    level: Literal["info", "warning", "error"] = "info"
    target: Target | None = None
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class TargetFinished:
    result: TargetResult
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class RunFinished:
    result: RunResult
    at: float = field(default_factory=time.time)


Event = (
    RunStarted
    | TargetStarted
    | TargetRestarted
    | PhaseStarted
    | PhaseFinished
    | Progress
    | TestsCollected
    | TestStarted
    | TestFinished
    | Output
    | Notice
    | TargetFinished
    | RunFinished
)


class Sink(Protocol):
    """Takes events, one at a time."""

    def emit(self, event: Event) -> None: ...


class Bus:
    """Hands each event to every sink, one event at a time whatever thread it comes from."""

    def __init__(self, sinks: Iterable[Sink] = ()) -> None:
        self._lock = threading.Lock()
        self._sinks = tuple(sinks)

    def emit(self, event: Event) -> None:
        with self._lock:
            for sink in self._sinks:
                sink.emit(event)

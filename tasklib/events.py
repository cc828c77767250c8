"""The frozen events that every part speaks.

The core emits them to a sink it was handed; reporters alone know about terminals, files and CI systems.
Times are seconds since the epoch (``time.time()``), durations are seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Literal, Protocol

from msgspec import Struct, field

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


class RunStarted(Struct, frozen=True):
    """The run begins. This is its plan: the targets of all stages."""

    project: str
    """The project's name."""
    instance: str
    """The instance's id."""
    targets: tuple[Target, ...]
    """The targets, in the order in which they run."""
    folders: tuple[str, ...] = ()
    """Their folders, absolute, in the same order: the files of tests are relative to them. Empty: unknown."""
    shard: str = ""
    """Which share of the tests this machine runs, such as `2/4`. Empty: all of them."""
    split: str = ""
    """A digest of what all machines that share the tests have to agree on. Empty without `shard`."""
    at: float = field(default_factory=time.time)


class TargetStarted(Struct, frozen=True):
    """Work for a target begins."""

    target: Target
    at: float = field(default_factory=time.time)


class TargetRestarted(Struct, frozen=True):
    """What a target has done so far does not count: it begins anew."""

    target: Target
    reason: str
    """Why, such as that its engine stopped answering."""
    at: float = field(default_factory=time.time)


class PhaseStarted(Struct, frozen=True):
    """A target begins one of its phases."""

    target: Target
    phase: Phase
    at: float = field(default_factory=time.time)


class Progress(Struct, frozen=True):
    """What a target is doing within its phase."""

    target: Target
    text: str
    """For people to read: a build step, or the container that is waited for. Empty: nothing to say."""
    at: float = field(default_factory=time.time)


class TestsCollected(Struct, frozen=True):
    """It is known how many tests a target has. A later event of this kind replaces an earlier one."""

    __test__ = False

    target: Target
    total: int
    """The number of tests."""
    split: str = ""
    """A digest of how all machines that share the target's tests spread them. Empty where none do."""
    at: float = field(default_factory=time.time)


class TestStarted(Struct, frozen=True):
    """A test begins."""

    __test__ = False

    target: Target
    id: str
    """What the test's runner calls it: the `id` of its test result."""
    worker: str = ""
    """Which of several parallel processes runs it, such as `gw0` of pytest-xdist; else empty."""
    at: float = field(default_factory=time.time)


class TestFinished(Struct, frozen=True):
    """A test ended."""

    __test__ = False

    target: Target
    result: TestResult
    """How it ended."""
    worker: str = ""
    """As in `test_started`."""
    at: float = field(default_factory=time.time)


class PhaseFinished(Struct, frozen=True):
    """A target ended one of its phases."""

    target: Target
    phase: Phase
    at: float = field(default_factory=time.time)


class Output(Struct, frozen=True):
    """A program that works for a target, its test runner or Compose, wrote a line."""

    target: Target
    line: str
    """The line, without its end."""
    at: float = field(default_factory=time.time)


class Notice(Struct, frozen=True):
    """One line that the user should read."""

    text: str
    """The line."""
    level: Literal["info", "warning", "error"] = "info"
    """How serious it is."""
    target: Target | None = None
    """The target that it is about, or null."""
    at: float = field(default_factory=time.time)


class TargetFinished(Struct, frozen=True):
    """A target ended."""

    result: TargetResult
    """How it ended."""
    at: float = field(default_factory=time.time)


class RunFinished(Struct, frozen=True):
    """The run ended. This is the last event, unless the run was killed."""

    result: RunResult
    """How it ended."""
    at: float = field(default_factory=time.time)


Event = (
    RunStarted
    | TargetStarted
    | TargetRestarted
    | PhaseStarted
    | Progress
    | TestsCollected
    | TestStarted
    | TestFinished
    | PhaseFinished
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

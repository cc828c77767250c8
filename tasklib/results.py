"""What runs are made of, stages, targets and phases, and what becomes of them. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from tasklib.shown.cleaning import visible

__all__ = [
    "NOTHING_LEFT",
    "ContainerLog",
    "Counts",
    "LogLine",
    "Outcome",
    "Phase",
    "RunResult",
    "Stage",
    "Target",
    "TargetResult",
    "TestOutcome",
    "TestResult",
]


NOTHING_LEFT = "no test is left for"
"""Begins the reason of a target that is skipped since other machines run all of its tests."""


class Stage(StrEnum):
    """The three stages, in the order they run."""

    UNIT = "unit"
    SERVICE = "service"
    INTEGRATION = "integration"


@dataclass(frozen=True, order=True)
class Target:
    """One suite run in one stage. ``service`` is the folder's name, or the project's for its own suite."""

    stage: Stage
    service: str

    def __str__(self) -> str:
        return f"{self.stage} {visible(self.service)}"


class Phase(StrEnum):
    """What a target spends its time on, in order."""

    BUILD = "build"
    START = "start"
    TEST = "test"
    CLEAN = "clean"


class Outcome(StrEnum):
    """How a target, a stage or a run ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """It could not be run: no tests found, the runner crashed, the stack did not become ready."""
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class TestOutcome(StrEnum):
    """How one test ended. ``rerun`` is an attempt that another one replaced."""

    __test__ = False

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    RERUN = "rerun"


@dataclass(frozen=True)
class TestResult:
    """One finished test.

    ``id`` is what its runner calls it (``tests/unit/test_a.py::test_b[1]``), ``file`` is relative to the
    target's folder, ``line`` counts from 1. ``message`` is the assertion in one line, ``detail`` the whole
    representation of the failure, ``output`` what the test itself printed. The durations are seconds.
    """

    __test__ = False

    id: str
    outcome: TestOutcome
    setup: float = 0.0
    call: float = 0.0
    teardown: float = 0.0
    file: str | None = None
    line: int | None = None
    message: str = ""
    detail: str = ""
    output: str = ""

    @property
    def seconds(self) -> float:
        return self.setup + self.call + self.teardown


@dataclass(frozen=True)
class Counts:
    """How many tests of a target ended how; ``total`` is what its runner collected.

    ``warnings`` are what the runner counted apart from them.
    """

    total: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0
    rerun: int = 0
    warnings: int = 0

    @property
    def done(self) -> int:
        return self.passed + self.failed + self.errors + self.skipped + self.xfailed + self.xpassed


@dataclass(frozen=True)
class LogLine:
    """One line a container wrote, at seconds since the epoch."""

    at: float
    text: str


@dataclass(frozen=True)
class ContainerLog:
    """The last lines of one container of a stack, oldest first."""

    service: str
    lines: tuple[LogLine, ...]


@dataclass(frozen=True)
class TargetResult:
    """What became of one target.

    ``reason`` says in one or two lines why it is neither passed nor failed by its tests. ``failures`` are
    the failed tests, ``slowest`` the slowest of all (longest first), ``phases`` the seconds spent on each
    phase, ``logs`` the containers' last lines where something failed, ``rerun`` the command that repeats
    the target, ``exit_code`` what an error of this target makes of the run, ``slow`` how many tests were
    above their stage's limit, ``selects`` whether ``-k`` after ``rerun`` narrows it to one test.
    ``again`` says why this is what its second run came to (empty: it ran once), ``passed_at`` is
    when a target that is skipped had passed on the same content (seconds since the epoch; 0: it is not
    skipped for that).
    """

    target: Target
    outcome: Outcome
    reason: str = ""
    counts: Counts = Counts()
    failures: tuple[TestResult, ...] = ()
    slowest: tuple[TestResult, ...] = ()
    seconds: float = 0.0
    phases: Mapping[Phase, float] = field(default_factory=lambda: MappingProxyType({}))
    logs: tuple[ContainerLog, ...] = ()
    rerun: str = ""
    exit_code: int = 0
    slow: int = 0
    selects: bool = True
    passed_at: float = 0.0
    again: str = ""


@dataclass(frozen=True)
class RunResult:
    """What a run came to: its targets in the order they were planned."""

    targets: tuple[TargetResult, ...]
    seconds: float = 0.0
    interrupted: bool = False
    log_file: str = ""

    @property
    def outcome(self) -> Outcome:
        if self.interrupted:
            return Outcome.INTERRUPTED
        outcomes = {result.outcome for result in self.targets}
        for worst in (Outcome.INTERRUPTED, Outcome.ERROR, Outcome.FAILED):
            if worst in outcomes:
                return worst
        nothing = outcomes == {Outcome.SKIPPED} and not any(result.passed_at for result in self.targets)
        return Outcome.SKIPPED if nothing else Outcome.PASSED

    @property
    def exit_code(self) -> int:
        """0 passed, 1 tests failed, 2 nothing ran, 130 interrupted, else the code of the first error."""
        if self.outcome is Outcome.INTERRUPTED:
            return 130
        if self.outcome is Outcome.SKIPPED:
            return 2
        if any(result.outcome is Outcome.FAILED for result in self.targets):
            return 1
        return next((r.exit_code or 1 for r in self.targets if r.outcome is Outcome.ERROR), 0)

    def stage(self, stage: Stage) -> tuple[TargetResult, ...]:
        return tuple(result for result in self.targets if result.target.stage is stage)

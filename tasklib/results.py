"""What runs are made of, stages, targets and phases, and what becomes of them. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field

from tasklib.shown.cleaning import visible

__all__ = [
    "NOTHING_LEFT",
    "RAN",
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

RAN = "was running"
"""Part of the reason of a target that was stopped, behind what it was stopped in."""


class Stage(StrEnum):
    """One of the three stages, which run in this order."""

    UNIT = "unit"
    """Tests that need no Docker."""
    SERVICE = "service"
    """Tests of one service against its own stack."""
    INTEGRATION = "integration"
    """Tests against the full stack."""


class Target(Struct, frozen=True, order=True):
    """One suite of tests in one stage."""

    stage: Stage
    service: str
    """The service's name, or the project's for tests that belong to no service."""

    def __str__(self) -> str:
        return f"{self.stage} {visible(self.service)}"


class Phase(StrEnum):
    """A part of what a target does; the parts follow each other in this order."""

    BUILD = "build"
    """Its images are built."""
    START = "start"
    """Its stack starts, until it is ready."""
    TEST = "test"
    """Its tests run."""
    CLEAN = "clean"
    """Its stack is removed."""


class Outcome(StrEnum):
    """How a target, a stage or a run ended."""

    PASSED = "passed"
    """All of its tests passed."""
    FAILED = "failed"
    """A test failed."""
    ERROR = "error"
    """It could not be run: no tests found, the runner crashed, the stack did not become ready."""
    SKIPPED = "skipped"
    """It was not run: another target failed before, or it is known to pass."""
    INTERRUPTED = "interrupted"
    """It was stopped before its end."""


class TestOutcome(StrEnum):
    """How one test ended."""

    __test__ = False

    PASSED = "passed"
    """It passed."""
    FAILED = "failed"
    """It failed."""
    ERROR = "error"
    """What the test needs before or after it, such as a fixture, failed."""
    SKIPPED = "skipped"
    """It was skipped."""
    XFAILED = "xfailed"
    """It failed, as it is marked to do."""
    XPASSED = "xpassed"
    """It passed although it is marked to fail."""
    RERUN = "rerun"
    """It failed, and was run again: another result follows."""


class TestResult(Struct, frozen=True):
    """One finished test."""

    __test__ = False

    id: str
    """What its runner calls it, such as `tests/unit/test_a.py::test_b[1]`."""
    outcome: TestOutcome
    """How it ended."""
    setup: float = 0.0
    """The seconds of what was done before it, such as its fixtures."""
    call: float = 0.0
    """The seconds of the test itself."""
    teardown: float = 0.0
    """The seconds of what was done after it."""
    file: str | None = None
    """The file that it is in, relative to the target's folder; null if unknown."""
    line: int | None = None
    """The line of the file, counted from 1; null if unknown."""
    message: str = ""
    """If it failed, the failed assertion or the exception in one line."""
    detail: str = ""
    """If it failed, everything that its runner says about the failure."""
    output: str = ""
    """What the test printed."""
    whole: bool = False
    """Whether it stands for all tests of a command that tells of no single one."""

    @property
    def seconds(self) -> float:
        """The sum of `setup`, `call` and `teardown`."""
        return self.setup + self.call + self.teardown


class Counts(Struct, frozen=True):
    """How many tests of a target ended how."""

    total: int = 0
    """The tests that its runner collected."""
    passed: int = 0
    """Those that passed."""
    failed: int = 0
    """Those that failed."""
    errors: int = 0
    """Those whose outcome is `error`."""
    skipped: int = 0
    """Those that were skipped."""
    xfailed: int = 0
    """Those that failed, as they are marked to do."""
    xpassed: int = 0
    """Those that passed although they are marked to fail."""
    rerun: int = 0
    """Attempts that were repeated."""
    warnings: int = 0
    """The warnings that the runner counted."""

    @property
    def done(self) -> int:
        return self.passed + self.failed + self.errors + self.skipped + self.xfailed + self.xpassed


class LogLine(Struct, frozen=True):
    """One line that a container wrote."""

    at: float
    """When it was written."""
    text: str
    """The line."""


class ContainerLog(Struct, frozen=True):
    """The last lines of one container of a stack."""

    service: str
    """The Compose service of the container."""
    lines: tuple[LogLine, ...]
    """The lines, oldest first."""


class TargetResult(Struct, frozen=True):
    """How a target ended."""

    target: Target
    outcome: Outcome
    reason: str = ""
    """Why its outcome is not that of its tests, in one or two lines; else empty."""
    counts: Counts = Counts()
    """How many of its tests ended how."""
    failures: tuple[TestResult, ...] = ()
    """Its failed tests."""
    slowest: tuple[TestResult, ...] = ()
    """Its slowest tests, the slowest one first."""
    seconds: float = 0.0
    """How long it took, with everything that it waited for."""
    phases: Mapping[Phase, float] = field(default_factory=lambda: MappingProxyType({}))
    """The seconds of each phase."""
    logs: tuple[ContainerLog, ...] = ()
    """What its containers wrote last, if something failed."""
    rerun: str = ""
    """The command that runs this target again."""
    exit_code: int = 0
    """If its outcome is `error`: the exit code that this gives the run."""
    slow: int = 0
    """How many of its tests took longer than the limit of their stage."""
    selects: bool = True
    """Whether `-k NAME` at the end of `rerun` runs a single test."""
    passed_at: float = 0.0
    """If `--cached` skipped it: when it passed on the same content; else 0."""
    again: str = ""
    """If this is the result of its second run: why there was one; else empty."""


class RunResult(Struct, frozen=True):
    """How a run ended."""

    targets: tuple[TargetResult, ...]
    """The results of its targets, in the order of the plan."""
    seconds: float = 0.0
    """How long it took."""
    interrupted: bool = False
    """Whether it was stopped before its end."""
    log_file: str = ""
    """The file that holds everything that was written during the run."""

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of its targets."""
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

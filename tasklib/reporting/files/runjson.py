"""``--report run.json``: the whole run as one JSON document. docs/json-events.md describes it."""

from __future__ import annotations

import json
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import asdict

from tasklib.events import Notice
from tasklib.reporting.files.record import RunRecord, TargetRecord
from tasklib.reporting.files.timeline import Wait, critical_path, waits
from tasklib.reporting.folds.spans import Span
from tasklib.reporting.values import plain
from tasklib.results import Outcome, TargetResult, TestResult

__all__ = ["ReportedTarget", "ReportedTest", "RunDocument", "run_document", "run_json"]


class ReportedTest(TestResult, frozen=True, kw_only=True):
    """A test result, with when and where the test ran."""

    __test__ = False

    end: float
    """When it ended."""
    worker: str
    """As in `test_started`."""


class ReportedTarget(TargetResult, frozen=True, kw_only=True):
    """A target result, with everything that is known of the target."""

    folder: str
    """The target's folder, absolute: the files of its tests are relative to it."""
    tests: tuple[ReportedTest, ...]
    """All of its tests, in the order in which they ended."""
    spans: tuple[Span, ...]
    """What it did, in order of time."""


class RunDocument(Struct, frozen=True, kw_only=True):
    """The whole run as one object."""

    v: Literal[1] = 1
    """The version of this document. It rises when a field goes or changes its meaning, not for new fields."""
    project: str
    """The project's name."""
    instance: str
    """The instance's id."""
    started: float
    """When it began."""
    finished: float
    """When it ended."""
    seconds: float
    """How long it took."""
    outcome: Outcome
    """The worst outcome of its targets."""
    exit_code: int
    """The exit code of the command."""
    interrupted: bool
    """Whether it was stopped before its end."""
    log_file: str
    """The file that holds everything that was written during the run."""
    targets: tuple[ReportedTarget, ...]
    """Its targets, in the order of the plan."""
    waits: tuple[Wait, ...]
    """When a target waited."""
    critical_path: tuple[Span, ...]
    """The spans that followed each other without a gap until the end: what made the run as long as it was."""
    notices: tuple[Notice, ...]
    """The lines that the user should read."""


def run_document(record: RunRecord) -> dict[str, Any]:
    """The run as values that JSON has; results are the same objects as in the JSON lines."""
    result = record.result
    document = RunDocument(
        project=record.project,
        instance=record.instance,
        started=record.started,
        finished=record.finished,
        seconds=result.seconds,
        outcome=result.outcome,
        exit_code=result.exit_code,
        interrupted=result.interrupted,
        log_file=result.log_file,
        targets=tuple(_target(target) for target in record.targets),
        waits=tuple(waits(record)),
        critical_path=tuple(critical_path(record)),
        notices=record.notices,
    )
    found: dict[str, Any] = plain(document)
    return found


def _target(record: TargetRecord) -> ReportedTarget:
    tests = tuple(
        ReportedTest(**asdict(test.result), end=test.end, worker=test.worker) for test in record.tests
    )
    return ReportedTarget(**asdict(record.result), folder=record.folder, tests=tests, spans=record.spans)


def run_json(record: RunRecord) -> str:
    """The document as text, indented for people, in ASCII."""
    return json.dumps(run_document(record), indent=1) + "\n"

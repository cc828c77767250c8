"""``--report run.json``: the whole run as one JSON document. docs/reports.md describes it."""

from __future__ import annotations

import json
from typing import Any

from tasklib.events import RunFinished, TargetFinished, TestFinished
from tasklib.reporting.files.record import RunRecord, TargetRecord
from tasklib.reporting.files.timeline import critical_path, waits
from tasklib.reporting.folds.spans import Span
from tasklib.reporting.lines.jsonlines import to_object

__all__ = ["VERSION", "run_document", "run_json"]

VERSION = 1
"""Raised when a field changes its meaning or goes; new fields leave it as it is."""


def run_document(record: RunRecord) -> dict[str, Any]:
    """The run as values that JSON has; results are the same objects as in the JSON lines."""
    finished = to_object(RunFinished(record.result, at=record.finished))["result"]
    return {
        "v": VERSION,
        "project": record.project,
        "instance": record.instance,
        "started": record.started,
        "finished": record.finished,
        "seconds": record.result.seconds,
        "outcome": finished["outcome"],
        "exit_code": finished["exit_code"],
        "interrupted": record.result.interrupted,
        "log_file": record.result.log_file,
        "targets": [
            _target(target, plain) for target, plain in zip(record.targets, _results(record), strict=True)
        ],
        "waits": [
            {
                "target": _name(wait.target),
                "start": wait.start,
                "end": wait.end,
                "blocker": _span(wait.blocker) if wait.blocker else None,
            }
            for wait in waits(record)
        ],
        "critical_path": [_span(span) for span in critical_path(record)],
        "notices": [
            {"at": notice.at, "level": notice.level, "text": notice.text} for notice in record.notices
        ],
    }


def _results(record: RunRecord) -> list[dict[str, Any]]:
    return [to_object(TargetFinished(target.result, at=0.0))["result"] for target in record.targets]


def _target(record: TargetRecord, plain: dict[str, Any]) -> dict[str, Any]:
    tests = [
        {
            **to_object(TestFinished(record.target, test.result, test.worker, at=test.end))["result"],
            "end": test.end,
            "worker": test.worker,
        }
        for test in record.tests
    ]
    return {**plain, "folder": record.folder, "tests": tests, "spans": [_span(span) for span in record.spans]}


def _span(span: Span) -> dict[str, Any]:
    return {
        "target": _name(span.target),
        "activity": str(span.activity),
        "start": span.start,
        "end": span.end,
        "notes": list(span.notes),
    }


def _name(target: Any) -> dict[str, str]:
    return {"stage": str(target.stage), "service": target.service}


def run_json(record: RunRecord) -> str:
    """The document as text, indented for people, in ASCII."""
    return json.dumps(run_document(record), indent=1) + "\n"

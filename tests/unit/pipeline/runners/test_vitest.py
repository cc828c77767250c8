"""What vitest's report has beyond what its reporter told."""

from __future__ import annotations

import msgspec

from tasklib.pipeline.runners import wire
from tasklib.pipeline.runners.vitest import Report, missing


def report(*tests: tuple[str, str]) -> Report:
    rows = [{"ancestorTitles": ["cart"], "title": title, "status": status} for title, status in tests]
    files = [{"name": "/shop/a.test.js", "status": "failed", "assertionResults": rows}]
    return msgspec.convert({"testResults": files}, Report)


def test_a_test_that_never_ended_died_with_its_process() -> None:
    """vitest calls it pending, as it does those that it leaves out after a failure with `--bail`."""
    found = report(("fine", "passed"), ("dies", "pending"), ("left", "skipped"))
    told = {"a.test.js > cart > fine": 1}
    ends = [end for end in missing(found, "/shop", told, died=True) if isinstance(end, wire.Finish)]
    assert [(end.id.rpartition(" ")[2], end.outcome) for end in ends] == [
        ("dies", "error"),
        ("left", "skipped"),
    ]
    assert ends[0].failures[0].message == "a process of vitest died before this test ended"
    assert [end.outcome for end in missing(found, "/shop", told) if isinstance(end, wire.Finish)] == [
        "skipped"
    ] * 2

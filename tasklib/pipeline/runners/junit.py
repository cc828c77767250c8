"""A JUnit report as test results. There is no one format: what common writers agree on is read."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

from tasklib.pipeline.runners import texts
from tasklib.results import TestOutcome, TestResult
from tasklib.shown.cleaning import visible

__all__ = ["read_junit", "says_nothing"]

_EMPTY = frozenset({"", "failed", "failure", "error", "test failed", "null"})
"""Messages that say nothing."""


def read_junit(path: Path) -> list[TestResult]:
    """The test cases of the report at ``path``, in its order.

    Attempts that a later one replaced (``rerunFailure``, ``flakyFailure`` and their error forms) come as
    RERUN results before their test. Raises ``ValueError`` for what is no JUnit report.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise ValueError(str(error)) from error
    if root.tag not in ("testsuites", "testsuite"):
        raise ValueError(f"its root element is <{root.tag}>")
    found: list[TestResult] = []
    for case in root.iter("testcase"):
        found += _case(case)
    return found


def _case(case: ElementTree.Element) -> list[TestResult]:
    outcome, said = TestOutcome.PASSED, None
    for tag, kind in (
        ("failure", TestOutcome.FAILED),
        ("error", TestOutcome.ERROR),
        ("skipped", TestOutcome.SKIPPED),
    ):
        said = case.find(tag)
        if said is not None:
            outcome = kind
            break
    name = visible("::".join(part for part in (case.get("classname"), case.get("name")) if part))
    failed = outcome in (TestOutcome.FAILED, TestOutcome.ERROR)
    detail = texts.plain((said.text or "").strip()) if said is not None else ""
    message = texts.shorten(texts.plain((said.get("message") or "") if said is not None else ""))
    result = TestResult(
        name or "unnamed",
        outcome,
        call=_number(case.get("time")),
        file=case.get("file"),
        line=int(_number(case.get("line"))) or None,
        message=_said(message, detail) if failed else message or texts.shorten(detail),
        detail=detail if failed else "",
        output=_output(case) if failed else "",
    )
    again = [
        TestResult(
            result.id, TestOutcome.RERUN, file=result.file, message=texts.shorten(e.get("message") or "")
        )
        for e in case
        if e.tag in ("rerunFailure", "rerunError", "flakyFailure", "flakyError")
    ]
    return [*again, result]


def _said(message: str, detail: str) -> str:
    """The message, unless it says no more than that the test failed: gotestsum's does not."""
    return message if message.lower() not in _EMPTY else texts.gist(detail) or message


def says_nothing(result: TestResult) -> bool:
    """Whether a failed result has no word of why: node's of a file that cannot be loaded."""
    broken = result.outcome in (TestOutcome.FAILED, TestOutcome.ERROR)
    said = result.message.lower()
    return broken and not result.output and (said in _EMPTY or said.startswith("[error: test failed]"))


def _output(case: ElementTree.Element) -> str:
    parts = ((tag, case.findtext(tag) or "") for tag in ("system-out", "system-err"))
    return texts.plain(texts.printed(parts))


def _number(text: str | None) -> float:
    """A number as a report writes it (``1,234.5`` too), 0 for none or nonsense."""
    try:
        number = float((text or "0").replace(",", ""))
    except ValueError:
        return 0.0
    return max(number, 0.0) if math.isfinite(number) else 0.0

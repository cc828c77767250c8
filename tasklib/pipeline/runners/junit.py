"""A JUnit report as test results. There is no one format: what common writers agree on is read."""

from __future__ import annotations

import codecs
import io
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from tasklib.pipeline.runners import texts
from tasklib.results import TestOutcome, TestResult
from tasklib.shown.cleaning import visible
from tasklib.shown.masking import mask

__all__ = ["read_junit", "says_nothing"]

_EMPTY = frozenset({"", "failed", "failure", "error", "test failed", "null"})
"""Messages that say nothing."""

_KINDS = (
    ("failure", TestOutcome.FAILED),
    ("error", TestOutcome.ERROR),
    ("skipped", TestOutcome.SKIPPED),
)
_AGAIN = ("rerunFailure", "rerunError", "flakyFailure", "flakyError")

# XML 1.0 section 2.2: what is no Char may stand in no document, not even as a reference; some writers do so.
_ILLEGAL = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|&#(?:x0*(?:[0-8bcef]|1[0-9a-f])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));",
    re.IGNORECASE,
)

_ENDED = re.compile(
    r"\[Error: test failed\].* exitCode: (?:null|(?P<code>\d+)), signal: (?:null|'(?P<signal>\w+)')"
)
"""What Node says of a file whose process ended."""

_SCRIPT = re.compile(r"^/.*\.[cm]?[jt]sx?$")

_OF_ITSELF = "its process ended with"

_ENCODING = re.compile(rb"""\s*<\?xml\s[^>]*?\sencoding\s*=\s*["'](?P<name>[\w.:-]+)""")
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")


def read_junit(path: Path) -> list[TestResult]:
    """The test cases of the report at ``path``, in its order; of a folder those of all reports below it.

    Attempts that a later one replaced (``rerunFailure``, ``flakyFailure`` and their error forms) come as
    RERUN results before their test. Raises ``ValueError`` for what is no JUnit report.
    """
    if path.is_dir():
        return [result for file in sorted(path.rglob("*.xml")) for result in _if_report(file)]
    try:
        try:
            with path.open("rb") as file:
                return list(_cases(file))
        except _OtherDocument:
            raise
        except (ElementTree.ParseError, ValueError):  # ValueError: an encoding that it cannot read
            return list(_cases(io.BytesIO(_mended(path.read_bytes()).encode())))
    except (OSError, LookupError, ElementTree.ParseError) as error:  # LookupError: no such encoding
        raise ValueError(str(error)) from error


def _mended(report: bytes) -> str:
    """A report's text without what no XML may hold, and without the name of an encoding that it has no more.

    Raises ``LookupError`` for an encoding that nobody knows.
    """
    said = _ENCODING.match(report.removeprefix(codecs.BOM_UTF8))
    wide = report.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if wide else said["name"].decode() if said else "utf-8"
    text = report.decode(encoding, errors="replace").removeprefix("\ufeff")
    return _ILLEGAL.sub("\ufffd", text[found.end() if (found := _DECLARATION.match(text)) else 0 :])


class _OtherDocument(ValueError):
    pass


def _if_report(path: Path) -> list[TestResult]:
    """What a file says that lies in a folder of reports: TestNG puts documents of its own there."""
    try:
        return read_junit(path)
    except _OtherDocument:
        return []


def _cases(file: IO[bytes]) -> Iterator[TestResult]:
    """Case by case, since what tests print makes reports of any size."""
    root = None
    above: list[ElementTree.Element] = []
    for event, element in ElementTree.iterparse(file, ("start", "end")):
        element.tag = element.tag.rpartition("}")[2]  # Some writers say a namespace, whichever they like.
        if root is None:
            root = element.tag
            if root not in ("testsuites", "testsuite"):
                raise _OtherDocument(f"its root element is <{root}>")
        if element.tag == "testsuite":
            above = [*above, element] if event == "start" else above[:-1]
        if event == "end" and element.tag == "testcase":
            yield from _case(element, above)
            element.clear()


def _of_node(suite: ElementTree.Element) -> bool:
    return suite.get("disabled") is not None and suite.get("hostname") is not None


def _name(case: ElementTree.Element, above: Sequence[ElementTree.Element]) -> str:
    """What a test is called; in Node's reports the tests that it is part of are the suites around it."""
    name = case.get("name") or ""
    if case.get("classname") == "test" and all(map(_of_node, above)):
        name = " > ".join((*(suite.get("name") or "" for suite in above), name))
    return visible("::".join(part for part in (case.get("classname"), name) if part))


def _case(case: ElementTree.Element, above: Sequence[ElementTree.Element]) -> Iterator[TestResult]:
    outcome, said = TestOutcome.PASSED, None
    for tag, kind in _KINDS:
        said = case.find(tag)
        if said is not None:
            outcome = kind
            break
    name = _name(case, above)
    failed = outcome in (TestOutcome.FAILED, TestOutcome.ERROR)
    detail = _text(said.text).strip() if said is not None else ""
    message = texts.shorten(_text(said.get("message"))) if said is not None else ""
    file = case.get("file") or case.get("filename")
    if file is None and case.get("classname") == "test" and _SCRIPT.search(case.get("name") or ""):
        file = case.get("name")  # Node's word for a file that failed itself.
    for again in case:
        if again.tag in _AGAIN:
            why = texts.shorten(_text(again.get("message")))
            yield TestResult(name or "unnamed", TestOutcome.RERUN, file=file, message=why)
    if failed:
        message = _said(message, _without_name(detail, case))
        detail = "" if message.startswith(_OF_ITSELF) else texts.bounded_text(detail)
    yield TestResult(
        name or "unnamed",
        outcome,
        call=_number(case.get("time")),
        file=file,
        line=int(_number(case.get("line"))) or None,
        message=message if failed else message or texts.shorten(detail),
        detail=detail if failed else "",
        output=_output(case) if failed else "",
    )


def _text(text: str | None) -> str:
    """Without secrets, before anybody cuts it, and without colours."""
    return texts.plain(mask(text or ""))


def _without_name(detail: str, case: ElementTree.Element) -> str:
    """PHPUnit begins with which test it was: ``CartTest::testTotal``, ``testTotal(CartTest)``."""
    first, _, rest = detail.partition("\n")
    own = case.get("name") or ""
    return rest if own and own in first and rest and " " not in first.replace(own, "").strip() else detail


def _said(message: str, detail: str) -> str:
    """The message, unless it says no more than that the test failed: gotestsum's does not."""
    said = message if message.lower() not in _EMPTY else texts.gist(detail) or message
    if ended := _ENDED.match(said):
        return f"{_OF_ITSELF} {ended['signal'] or 'exit code ' + (ended['code'] or '?')}"
    return said


def says_nothing(result: TestResult) -> bool:
    """Whether a failed result has no word of why: node's of a file that cannot be loaded."""
    broken = result.outcome in (TestOutcome.FAILED, TestOutcome.ERROR)
    said = result.message.lower()
    return broken and not result.output and (said in _EMPTY or said.startswith(_OF_ITSELF))


def _output(case: ElementTree.Element) -> str:
    parts = ((tag, case.findtext(tag) or "") for tag in ("system-out", "system-err"))
    return texts.bounded_text(_text(texts.printed(parts)))


def _number(text: str | None) -> float:
    """A number as a report writes it (``1,234.5`` too), 0 for none or nonsense."""
    try:
        number = float((text or "0").replace(",", ""))
    except ValueError:
        return 0.0
    return max(number, 0.0) if math.isfinite(number) else 0.0

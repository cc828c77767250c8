"""One failure as short lines: where, what, what the test printed, how to repeat it. Pure."""

from __future__ import annotations

import os.path
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from tasklib.reporting.words.text import bounded, clean, lines, one_line
from tasklib.results import ContainerLog, LogLine, TargetResult, TestOutcome, TestResult

__all__ = [
    "Moment",
    "describe",
    "explain",
    "failed",
    "failure_lines",
    "log_lines",
    "name",
    "place",
    "rerun",
    "short_id",
    "shown_path",
    "split_id",
    "titled",
]

EXPLANATION_LINES = 14
OUTPUT_LINES = 12
LOG_LINES = 12
"""Per container."""
CONTAINERS = 6

FAILURES_IN_FULL = 10
"""Per target; what else failed gets one line each, up to :data:`FAILURES_IN_SHORT`."""

FAILURES_IN_SHORT = 40

_MARGIN = 1.0
"""Seconds before and after a failing test whose log lines count as its own: clocks and buffers differ."""


_SCRIPT = re.compile(r"\.[cm]?[jt]sx?$")
_WORD = re.compile(r"[\w:+\-.\[\]\\/]+")
_TITLE = re.compile(r"(setup|call|teardown)( .*)?:")

_PLACE = re.compile(r"(?P<file>[^\s>].*?):(?P<line>\d+):(?P<name> in \S.*)?")
"""``tests/t.py:7: KeyError`` below a frame of pytest's, ``tests/t.py:7: in helper`` above one in short."""


@dataclass(frozen=True)
class Moment:
    """When a failing test ran, in seconds since the epoch."""

    start: float
    end: float


def failed(result: TestResult) -> bool:
    """Whether this result makes its target fail."""
    return result.outcome in (TestOutcome.FAILED, TestOutcome.ERROR)


def shown_path(file: str, folder: str, base: str) -> str:
    """``file`` (relative to ``folder``) as someone in the folder ``base`` would type it."""
    whole = os.path.normpath(os.path.join(folder, file)) if folder else file  # noqa: PTH118 - pure
    if not os.path.isabs(whole) or not base:  # noqa: PTH117 - pure
        return whole
    relative = os.path.relpath(whole, base)
    return whole if relative.startswith("..") else relative


def name(result: TestResult) -> str:
    """The test's name without its file: ``TestPrices::test_total[eur]``."""
    return short_id(result.id)


def split_id(test_id: str) -> tuple[str, str]:
    """A test's id as the file and the name in it; the file is empty where the id tells none.

    pytest writes ``file::name``, vitest ``file > suite > name``.
    """
    file, found, rest = test_id.partition("::")
    if found:
        return file, rest
    file, found, rest = test_id.partition(" > ")
    return (file, rest) if found and _SCRIPT.search(file) else ("", test_id)


def short_id(test_id: str) -> str:
    """The part of a test's id after its file, as one line."""
    return _escaped(split_id(test_id)[1])


def place(result: TestResult, folder: str = "", base: str = "") -> str:
    """``services/api/tests/unit/test_prices.py:42``; without a known file the test's own id."""
    if not result.file:
        return _escaped(result.id)
    path = _escaped(shown_path(result.file, folder, base))
    return f"{path}:{result.line}" if result.line else path


def titled(result: TestResult, folder: str = "", base: str = "") -> str:
    """Place and name; a file that cannot be loaded is named once."""
    where = place(result, folder, base)
    return where if not result.file or _is_its_file(result) else f"{where} {name(result)}"


def _is_its_file(result: TestResult) -> bool:
    """Whether the result is the file's own; the id may be relative to another folder than the file."""
    own, file = f"/{result.id}", f"/{result.file}"
    return own.endswith(file) or file.endswith(own)


def explain(result: TestResult) -> list[str]:
    """The statement at the result's place and the assertion with its values, after pytest's ``>`` and ``E``.

    Another runner's detail has no such marks: its message is the explanation, else the detail's end.
    """
    detail = _first_failure(lines(result.detail))
    if raised := _raised(detail):
        return bounded([*_statement(detail, result), *map(_narrow, raised)], EXPLANATION_LINES)
    marked = [line for line in detail if _is_raised(line) or line.startswith(">  ")]
    if any(map(_is_raised, marked)):
        return bounded([_narrow(line) for line in marked], EXPLANATION_LINES)
    message = lines(result.message)
    return bounded(message or detail[-EXPLANATION_LINES:], EXPLANATION_LINES)


def _first_failure(detail: list[str]) -> list[str]:
    """Of a test that failed more than once, each time under a title, the first: its place is the result's."""
    if not detail or not _TITLE.fullmatch(detail[0]):
        return detail
    ends = (
        index for index in range(2, len(detail)) if _TITLE.fullmatch(detail[index]) and not detail[index - 1]
    )
    return detail[1 : next(ends, len(detail))]


def _raised(detail: Sequence[str]) -> list[str]:
    """The ``E`` lines of the last frame: of chained exceptions the last one ended the test."""
    starts = [index for index, line in enumerate(detail) if line.startswith(">  ") or _is_short(line)]
    return [line for line in detail[starts[-1] if starts else 0 :] if _is_raised(line)]


def _statement(detail: Sequence[str], result: TestResult) -> list[str]:
    """The statement of the frame at the result's place, else the last one of which pytest has the source.

    A frame's place ends its block; one that is shown in short precedes it, and its statement is unmarked.
    """
    found = shown = own = ""
    for index, line in enumerate(detail):
        at = _PLACE.match(line)
        if line.startswith(">  "):
            shown = _known(line[1:])
            found = shown or found
        elif at and _is_at(at, result):
            following = detail[index + 1] if index + 1 < len(detail) else ""
            own = (_known(following) if at["name"] and following.startswith(" ") else shown) or own
    return [f"> {own or found}"] if own or found else []


def _is_at(found: re.Match[str], result: TestResult) -> bool:
    # The folder differs with where pytest was started.
    same = os.path.basename(found["file"]) == os.path.basename(result.file or "")  # noqa: PTH119 - pure
    return same and int(found["line"]) == result.line


def _known(statement: str) -> str:
    """``statement`` without its indent, empty where pytest had no source."""
    text = statement.strip()
    return "" if text == "???" else text


def _is_short(line: str) -> bool:
    at = _PLACE.match(line)
    return bool(at and at["name"])


def _is_raised(line: str) -> bool:
    return line.startswith("E   ") or line == "E"


def _narrow(line: str) -> str:
    return re.sub(r"^([>E]) +", r"\1 ", line)


def describe(result: TestResult, *, folder: str = "", base: str = "") -> list[str]:
    """Everything about one failure but its logs and its command, the first line saying where."""
    word = "ERROR" if result.outcome is TestOutcome.ERROR else "FAILED"
    output = bounded(lines(result.output), OUTPUT_LINES)
    return [
        one_line(f"{word} {titled(result, folder, base)}", 500),
        *(f"  {line}" for line in explain(result)),
        *(["  printed:"] if output else []),
        *(f"  | {line}" for line in output),
    ]


def rerun(target: TargetResult, result: TestResult) -> str:
    """The command that repeats just this test, or its whole target if no expression can select it."""
    word = _selector(result.id) if target.rerun and target.selects else ""
    return f"{target.rerun} -k {shlex.quote(word)}" if word else target.rerun


def _selector(test_id: str) -> str:
    """What ``-k`` takes to select the test, empty if nothing does."""
    file, name = split_id(test_id)
    if _SCRIPT.search(file):
        # vitest takes a regular expression and searches the names of suites and test joined by spaces.
        title = name.rpartition(" > ")[2]
        return re.sub(r"([\\^$.*+?()[\]{}|])", r"\\\1", title) if title.isprintable() else ""
    if not file:
        return ""
    found = _last_part(name)
    # What pytest's -k takes as one word; parameters with anything else are left to the function's name.
    word = found if _WORD.fullmatch(found) else found.partition("[")[0]
    return word if _WORD.fullmatch(word) and word not in ("and", "or", "not") else ""


def _last_part(test_id: str) -> str:
    """The function with its parameters: these may hold ``::`` themselves."""
    head, bracket, parameters = _ungrouped(test_id).partition("[")
    return head.rpartition("::")[2] + bracket + parameters


def _ungrouped(test_id: str) -> str:
    """The id without the group that ``--dist loadgroup`` writes behind it (``test_query@db``)."""
    start, bracket, rest = test_id.rpartition("]")
    return start + bracket + rest.partition("@")[0]


def failure_lines(
    result: TargetResult, *, folder: str = "", base: str = "", moments: Sequence[Moment] = ()
) -> list[str]:
    """What a failed target adds below its line: each failure, its command, the containers' logs."""
    found: list[str] = []
    for test in result.failures[:FAILURES_IN_FULL]:
        found += describe(test, folder=folder, base=base)
        if command := rerun(result, test):
            found.append(f"  rerun: {one_line(command, 1000)}")
    rest = result.failures[FAILURES_IN_FULL:]
    for test in rest[:FAILURES_IN_SHORT]:
        found.append(one_line(f"FAILED {titled(test, folder, base)}: {test.message}"))
    if len(rest) > FAILURES_IN_SHORT:
        found.append(f"... and {len(rest) - FAILURES_IN_SHORT} more failures ...")
    if logs := log_lines(result.logs, moments):
        found += ["  container logs:", *(f"  {line}" for line in logs)]
    if not result.failures and result.rerun:
        found.append(f"  rerun: {one_line(result.rerun, 1000)}")
    return found


def log_lines(logs: Sequence[ContainerLog], moments: Sequence[Moment] = ()) -> list[str]:
    """What the containers wrote around the failures, else their last lines; each after its container."""
    found: list[str] = []
    with_lines = [log for log in logs if log.lines]
    for log in with_lines[:CONTAINERS]:
        near = [line for line in log.lines if _near(line, moments)]
        chosen = near or log.lines
        texts = [text for line in chosen for text in lines(line.text)]
        found += [f"{log.service} | {text}" for text in bounded(texts, LOG_LINES)]
    if len(with_lines) > CONTAINERS:
        found.append(f"... and {len(with_lines) - CONTAINERS} more containers ...")
    return found


def _near(line: LogLine, moments: Sequence[Moment]) -> bool:
    return any(moment.start - _MARGIN <= line.at <= moment.end + _MARGIN for moment in moments)


def _escaped(text: str) -> str:
    """One line, its newlines shown as such: ids hold whatever their parameters hold."""
    return clean(text.replace("\r", "\\r").replace("\n", "\\n"))

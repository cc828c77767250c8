"""One failure as short lines: where, what, what the test printed, how to repeat it. Pure."""

from __future__ import annotations

import os.path
import re
import shlex
from collections.abc import Sequence

from msgspec import Struct

from tasklib.reporting.words.explanation import explain
from tasklib.reporting.words.text import bounded, lines, one_line, plural
from tasklib.results import ContainerLog, LogLine, TargetResult, TestOutcome, TestResult
from tasklib.shown.cleaning import clean

__all__ = [
    "Moment",
    "describe",
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

OUTPUT_LINES = 12
WHOLE_OUTPUT_LINES = 50
LOG_LINES = 12
"""Per container."""
CONTAINERS = 6

FAILURES_IN_FULL = 10
"""Per target; what else failed gets one line each, up to :data:`FAILURES_IN_SHORT`."""

FAILURES_IN_SHORT = 40

ALIKE_SHOWN = 5
"""Of failures that are the same as another one."""

_WHOLE = 500
"""Characters of a test's id as part of a command."""

_MARGIN = 1.0
"""Seconds before and after a failing test whose log lines count as its own: clocks and buffers differ."""


_SCRIPT = re.compile(r"\.[cm]?[jt]sx?$")
_OF_NO_TEST = "unhandled error"
"""What our reporter in vitest calls an error that came while no test ran: no name of a test has it."""

_OF_NODE = "test"
"""What stands in the place of a file in the ids of Node's tests."""

_WORD = re.compile(r"[\w:+\-.\[\]\\/]+")


class Moment(Struct, frozen=True):
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


def describe(result: TestResult, *, folder: str = "", base: str = "") -> list[str]:
    """Everything about one failure but its logs and its command, the first line saying where."""
    word = "ERROR" if result.outcome is TestOutcome.ERROR else "FAILED"
    # Of a command that is judged by its exit code, what it printed is all there is.
    alone = not result.detail and not result.file
    output = bounded(lines(result.output), WHOLE_OUTPUT_LINES if alone else OUTPUT_LINES)
    return [
        one_line(f"{word} {titled(result, folder, base)}", 500),
        *(f"  {line}" for line in explain(result)),
        *(["  printed:"] if output else []),
        *(f"  | {line}" for line in output),
    ]


def rerun(target: TargetResult, result: TestResult) -> str:
    """The command that repeats just this test, or its whole target if no expression can select it."""
    word = _selector(result) if target.rerun and target.selects else ""
    if not word:
        return target.rerun
    if (whole := _whole_id(result)) and (
        _last_part(split_id(result.id)[1]) != word or _is_named(result, word)
    ):
        word = whole
    return f"{target.rerun} -k {shlex.quote(word)}"


def _is_named(result: TestResult, word: str) -> bool:
    """Whether pytest's ``-k`` would find the word in what the test's file or folders are called."""
    return word.casefold() in split_id(result.id)[0].casefold()


def _whole_id(result: TestResult) -> str:
    """The test's id, which ``-k`` takes as well; empty where it is relative to another folder."""
    file, name = split_id(result.id)
    whole = f"{file}::{_ungrouped(name)}"
    fits = file.endswith(".py") and file == result.file and whole.isprintable() and len(whole) < _WHOLE
    return whole if fits and not file.startswith("-") else ""


def _selector(result: TestResult) -> str:
    """What ``-k`` takes to select the test, empty if nothing does."""
    file, name = split_id(result.id)
    if file == _OF_NODE and _SCRIPT.search(name):
        return ""  # A file that failed itself is no test.
    if _SCRIPT.search(file) or (file and _SCRIPT.search(result.file or "")):
        if name == _OF_NO_TEST:
            return ""
        # JavaScript's runners take a regular expression and search the names of suites and test joined by
        # spaces; vitest and Playwright show them joined by what stands here.
        titles = re.split(r" [>\u203a] ", re.sub(r" \|[^|]+\|$", "", name))  # Not the project behind it.
        # Node leaves out a test with all its parts, unless its own name is asked for.
        wanted = titles if file == _OF_NODE else titles[-1:]
        if not name.isprintable():
            return ""
        return "|".join(re.sub(r"([\\^$.*+?()[\]{}|])", r"\\\1", title) for title in wanted)
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
    groups = _alike(result.failures)
    for test, *others in groups[:FAILURES_IN_FULL]:
        found += describe(test, folder=folder, base=base)
        if command := rerun(result, test):
            found.append(f"  rerun: {one_line(command, 1000)}")
        if others:
            found.append(f"  the same in {plural(len(others), 'more test')}:")
            found += (f"    {one_line(titled(other, folder, base))}" for other in others[:ALIKE_SHOWN])
        if len(others) > ALIKE_SHOWN:
            found.append(f"    ... and {len(others) - ALIKE_SHOWN} more ...")
    rest = [test for group in groups[FAILURES_IN_FULL:] for test in group]
    for test in rest[:FAILURES_IN_SHORT]:
        found.append(one_line(f"FAILED {titled(test, folder, base)}: {test.message}"))
    if len(rest) > FAILURES_IN_SHORT:
        found.append(f"... and {len(rest) - FAILURES_IN_SHORT} more failures ...")
    if logs := log_lines(result.logs, moments):
        found += ["  container logs:", *(f"  {line}" for line in logs)]
    if not result.failures and result.rerun:
        found.append(f"  rerun: {one_line(result.rerun, 1000)}")
    return found


def _alike(failures: Sequence[TestResult]) -> list[list[TestResult]]:
    """The failures, those together that failed with the same message and printed nothing, in their order."""
    groups: dict[tuple[str, ...], list[TestResult]] = {}
    for test in failures:
        # An assertion that looks the same elsewhere may be about something else.
        same = bool(test.message) and not test.message.startswith("assert ") and not test.output
        key = (test.outcome, test.message) if same else (test.id, str(len(groups)))
        groups.setdefault(key, []).append(test)
    return list(groups.values())


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

"""What a failure's text says: the statement and its values, in few lines, whichever runner wrote it. Pure."""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence

from tasklib.reporting.words.text import bounded, lines
from tasklib.results import TestResult
from tasklib.shown.cutting import CUT, several, shorten

__all__ = ["EXPLANATION_LINES", "explain"]

EXPLANATION_LINES = 14

_TITLE = re.compile(r"(setup|call|teardown)( .*)?:")

_PLACE = re.compile(r"(?P<file>[^\s>].*?):(?P<line>\d+):(?P<name> in \S.*)?")
"""``tests/t.py:7: KeyError`` below a frame of pytest's, ``tests/t.py:7: in helper`` above one in short."""

_ADVICE = re.compile(r"E\s+(Use -v|\(pytest_assertion plugin)")
_HIDDEN = re.compile(r", use '?-vv?'? to show")

_NO_TERMINAL = "breakpoint() found no terminal: `-- --pdb` tells the command that has one"
_CAUSES, _OTHER = 2, 120
_CAUSED = "The above exception was the direct cause"
_UNHANDLED = re.compile(r"E\s+pytest\.PytestUn(handled|raisable)\w+: ")

_FRAME = re.compile(r"\s*(at |\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT} )\S")
"""A frame of a JavaScript engine; where it is the test's own, its place stands in the head already."""

_LIBRARY = re.compile(
    r"\s*(at |\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT} |\|?\s*File \").*"
    r"(/node_modules/|node:internal|site-packages|/lib/python\d|new Promise)"
)
_INDENTED = re.compile(r"\s{4}")
_RUNNERS = re.compile(
    r"\s*(=== (RUN|PAUSE|CONT|NAME)|--- (FAIL|PASS|SKIP): )|\[gw\d+\] "
    r"|\s*(Error \[ERR_TEST_FAILURE\]: |code: 'ERR_TEST_FAILURE'|failureType: )"
)
"""What the runners of Go and Node put around a test's own words, and xdist before those of a dead worker."""

_RAISED = re.compile(r"(cause: )?(\w*Error( \[\w+\])?: )?")

_GROUP = re.compile(r"\s*[|+](-\+)?\s*(-+ \d+ -+|[\w.]*(Group|Error|Exception|Warning|Exit)(: .*)?)$")
"""In the text of an exception group: its exceptions, and the lines between them."""


def explain(result: TestResult) -> list[str]:
    """The statement at the result's place and the assertion with its values, after pytest's ``>`` and ``E``.

    Another runner's detail has no such marks: its message is the explanation, and what the detail has beyond
    it, without the frames of libraries.
    """
    first, names = _first_failure(lines(result.detail))
    detail = _cause_first(first)
    title, also = [f"{names[0]}:"] if names[:1] > [""] else [], _also(names[1:])
    if raised := _raised(detail):
        told = [*title, *_statement(detail, result), *_values(raised), *_causes(detail)]
        told += [_NO_TERMINAL] if any(line.endswith(" bdb.BdbQuit") for line in raised) else []
        return [*bounded(told, EXPLANATION_LINES - len(also)), *also]
    marked = [line for line in detail if _is_raised(line) or line.startswith(">  ")]
    if any(map(_is_raised, marked)):
        return bounded(_values(marked), EXPLANATION_LINES)
    message = lines(result.message)
    beyond = _beyond(" ".join(message), _telling(detail, placed=bool(result.line)))
    return _first([*message, *beyond] or detail[-EXPLANATION_LINES:], EXPLANATION_LINES)


def _first_failure(detail: list[str]) -> tuple[list[str], list[str]]:
    """Of a test that failed more than once, each time under a title, the first: its place is the result's.

    And its name, a subtest's own or ``teardown`` (empty for the test's call), and of all others with why.
    """
    if not detail or not _TITLE.fullmatch(detail[0]):
        return detail, []
    starts = [
        index
        for index, line in enumerate(detail)
        if _TITLE.fullmatch(line) and (not index or not detail[index - 1])
    ]
    found = [match for index in starts if (match := _TITLE.fullmatch(detail[index]))]
    names = [(match[2] or ("" if match[1] == "call" else match[1])).strip() for match in found]
    ends = [*starts[1:], len(detail)]
    said = [_raised(detail[start:end])[:1] for start, end in zip(starts, ends, strict=True)]
    whys = [f": {_narrow(line[0]).removeprefix('E ')}" if line else "" for line in said]
    others = [f"{name or 'the test'}{why}" for name, why in zip(names, whys, strict=True)]
    return detail[1 : ends[0]], [*names[:1], *others[1:]]


def _also(others: Sequence[str]) -> list[str]:
    """A line that names what else failed in the test."""
    return (
        [f"also failed: {several([shorten(other, _OTHER) for other in others], join='; ')}"] if others else []
    )


def _causes(detail: Sequence[str]) -> list[str]:
    """What the last exception was raised from, the nearest first."""
    ends = [index for index, line in enumerate(detail) if line.startswith(_CAUSED)]
    parts = [detail[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    raised = [found[0] for part in reversed(parts) if (found := _raised(part))]
    return [f"caused by {_narrow(line).removeprefix('E ')}" for line in raised[:_CAUSES]]


def _cause_first(detail: list[str]) -> list[str]:
    """Of what a thread or a destructor raised, told by a warning that is an error here: what it raised."""
    links = [index for index, line in enumerate(detail) if line.startswith(_CAUSED)]
    if links and any(_UNHANDLED.match(line) for line in detail[links[-1] :]):
        told = next(line for line in detail[links[-1] :] if _UNHANDLED.match(line))
        return [*detail[: links[-1]], told]
    return detail


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


def _values(raised: Sequence[str]) -> list[str]:
    """pytest's lines, without its advice to use options that have other names here."""
    return [_HIDDEN.sub("", _narrow(line)) for line in raised if not _ADVICE.match(line)]


def _telling(detail: Sequence[str], *, placed: bool) -> list[str]:
    """The lines that are about the failure: no frames of libraries, none at all where the place is known."""
    if groups := [line for line in detail if _GROUP.match(line)]:
        return groups
    found: list[str] = []
    dropping = False
    for line in detail:
        if dropping and _INDENTED.match(line) and not _FRAME.match(line):
            continue  # The source of a frame that was dropped.
        known = placed or not re.search(r":\d", line)
        dropping = bool(_LIBRARY.match(line) or (known and _FRAME.match(line)))
        if not dropping and not _RUNNERS.match(line) and (line or (found and found[-1])):
            found.append(line)
    return found


def _beyond(message: str, detail: Sequence[str]) -> list[str]:
    """What ``detail`` says after the lines that ``message`` repeats."""
    flat = " ".join(message.split())
    for index, line in enumerate(detail):
        said = _RAISED.sub("", " ".join(line.split()), count=1)
        if (
            said not in ("", "}")
            and said not in flat
            and not (flat and said.startswith(flat.removesuffix(CUT)))
        ):
            return list(detail[index:])
    return []


def _first(found: Sequence[str], limit: int) -> list[str]:
    """The first lines: in other runners' details these say most."""
    if len(found) <= limit:
        return bounded(found, limit)
    left = len(found) - limit + 1
    return [*bounded(found[: limit - 1], limit), f"... {left} more lines ..."]

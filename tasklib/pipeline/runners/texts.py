"""What people read about a failed test, from what its runner says about it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from tasklib.shown.cutting import flat, without_middle

__all__ = [
    "RAISED",
    "bounded",
    "bounded_text",
    "complaint",
    "gist",
    "one_line",
    "plain",
    "printed",
    "shorten",
    "tail",
    "without_progress",
    "without_warnings",
]

LENGTH = 500
"""Characters of a message at most."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FRAME = re.compile("at .*[:(]|\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT} ")
_NPM = re.compile(r"npm (error|ERR!) ?")
_NPM_ASIDE = re.compile(
    r"(code|errno|syscall|path|command|dest|spawnargs) |command failed$|gyp (info|verb|http|WARN) |$"
    r"|node_modules/|(404 )?Note that you can also|\[|\^+$|at .*[:(]"
)
_NPM_END = re.compile(
    r"A complete log of this run|Clean install a project|Usage:|Options:|Run \"npm help|For a full report"
    r"|Fix the upstream|this command with|(404 )?Note that you can also"
)
"""What npm says beside and after what is wrong: the same words for it, whatever that is."""
_NPM_LINES = 8

_CHATTER = re.compile(
    r"Using (CPython|Python|PyPy)|Creating virtual ?env|(Resolved|Prepared|Installed|Uninstalled|Audited"
    r"|Built|Building|Downloading|Downloaded|Updated|Updating|Checked|Resolving|Fetching|Collecting) "
    r"|[+~-] \S+==|warning: |Installing dependencies from lock file|yarn install v|\[\d/\d\] |info |WARN  ?"
    r"|Progress: |[=-]+ .* [=-]+$|\[notice\] |\S+ YN0000: |Lockfile is up to date"
    r"|Note: This error originates from|Note that in CI environments"
)
"""What uv, Poetry, yarn and pnpm say on their way, whether they get there or not."""

_MARKED = re.compile(r"error(\[\w+\])?:? |ERROR: |ERR_PNPM_\w+ |[-*] \S.*: Failed$")
_MARKED_LINES = 4
"""How those that go on talking afterwards begin what is wrong."""

_GAVE_UP = re.compile(r"(error:|\N{MULTIPLICATION SIGN}) ")
_CAUSE = re.compile(
    r"(cause:|Caused by:"
    r"|[\N{BOX DRAWINGS LIGHT VERTICAL AND RIGHT}\N{BOX DRAWINGS LIGHT ARC UP AND RIGHT}]\S*) "
)
RAISED = re.compile(r"[\w.]*(Error|Exception|Exit)\b: \S")
"""How uv begins what it could not do and the causes, and what a build that it started raised."""

_REFUSED = re.compile(r"\S+: error: (.+)")
"""How Python's programs say what is wrong with their arguments, below how they are used."""

_NODE_END = re.compile(r"Node\.js v\d+\.")
"""What Node says last when it dies of an exception, below where that was raised and what it holds."""

_TRACEBACK = "Traceback (most recent call last):"
_GO = re.compile(r"(=== |--- |\s*$)")
"""What Go's runner puts around a test's own words."""

LINE = 100_000
"""Characters of one line of output that are handed on."""

_WARNING = re.compile(r"\S.*:\d+: \w*Warning: ")
_NO_SOURCE = re.compile(r"(<[^>]*>|sys):\d+: ")
_OTHERS = re.compile(rf"{_WARNING.pattern}|{re.escape(_TRACEBACK)}|Fatal Python error: ")
_WARNED_LINES = 8
"""Lines below a warning's first within which its line of source stands."""

TEXT = 60_000
"""Characters of what a failed test says or printed."""

_EXPLANATION = re.compile(r"\s*\+\s+(?=where|and)")


def one_line(message: str) -> str:
    """The assertion with its values, in one line, from an exception's whole message.

    >>> one_line("AssertionError: three\\nassert 2 == 3\\n +  where 2 = len([1, 2])")
    'three: assert 2 == 3, where 2 = len([1, 2])'
    """
    lines = [line.rstrip() for line in plain(message).strip().splitlines() if line.strip()]
    if not lines:
        return ""
    first, rest = lines[0].strip(), lines[1:]
    bare = first.removeprefix("AssertionError: ")
    if bare.startswith("assert "):
        first = bare
    else:
        own = next((index for index, line in enumerate(rest) if line.strip().startswith("assert ")), None)
        if own is not None:
            first = f"{bare}: {rest[own].strip()}"
            rest = rest[own + 1 :]
    for line in rest:
        if not _EXPLANATION.match(line):
            break
        first += ", " + _EXPLANATION.sub("", line, count=1)
    if any(_TRACEBACK in line for line in rest):
        first = f"{first}: {rest[-1].strip()}"  # An exception of a thread: the cause is in the message.
    return shorten(first)


def plain(text: str) -> str:
    """``text`` without colours."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def shorten(text: str) -> str:
    """``text`` in one line of at most LENGTH characters."""
    return flat(text, LENGTH)


_WORKER = re.compile(r"\[gw\d+\] ")
"""How xdist begins what it says of a worker."""


def gist(detail: str) -> str:
    """The line of a failure's text that says what is wrong, where the runner did not say it apart.

    In a traceback that is the last one, else the first that says something of the test's own.

    >>> gist("=== RUN   TestTotal\\n    total_test.go:9: got 3, want 4\\n--- FAIL: TestTotal (0.00s)")
    'total_test.go:9: got 3, want 4'
    """
    lines = [line.strip() for line in plain(detail).splitlines() if line.strip()]
    if marked := [line[1:].strip() for line in lines if line.startswith("E ")]:
        return shorten(marked[-1])
    if groups := [line for line in lines if "ExceptionGroup: " in line]:
        return shorten(groups[0].lstrip("| "))
    if "Expected:" in lines and lines[-1].endswith("DocTestFailure"):
        return shorten(" ".join(lines[lines.index("Expected:") : -1]))
    if any(_TRACEBACK in line for line in lines):
        return shorten(lines[-1])
    own = [line for line in lines if not any(p.match(line) for p in (_GO, _FRAME, _WORKER))]
    return shorten((own or lines or [""])[0])


def bounded(line: str) -> str:
    """``line``, without its middle if it is longer than anybody reads."""
    return without_middle(line, LINE, mark="[... {left} characters left out ...]")


def bounded_text(text: str) -> str:
    """``text``, without its middle if it is longer than anybody reads."""
    if len(text) <= TEXT:
        return text
    half = TEXT // 2
    left = text[half:-half]
    lines = left.count("\n")
    what = f"{lines} lines" if lines else f"{len(left)} characters"
    return f"{text[:half]}\n[... {what} left out ...]\n{text[-half:]}"


def printed(sections: Iterable[tuple[str, str]]) -> str:
    """Captured output in one text: each part under its title, unless there is only one."""
    parts = [(title, text.rstrip("\n")) for title, text in sections if text.strip()]
    if len(parts) == 1:
        return parts[0][1]
    return "\n".join(f"-- {title} --\n{text}" for title, text in parts)


def complaint(lines: Iterable[str]) -> str:
    """What a program that gave up says is wrong, in one line, from the lines that it wrote to stderr.

    npm says it first and goes on for pages, most others say it last; stack frames say nothing. uv says first
    what it could not do, and somewhere below why.

    >>> complaint(["error: Failed to build `x`", "  cause: failed", "  ValueError: no files", "hint: look"])
    'Failed to build `x`: ValueError: no files'
    """
    clean = [plain(line).strip() for line in lines]
    if any(_CAUSE.match(line) for line in clean):
        return shorten(_of_uv(clean))
    npm = [_NPM.sub("", line, count=1).strip() for line in clean if _NPM.match(line)]
    if said := [line for line in _until(_NPM_END, npm) if not _NPM_ASIDE.match(line)]:
        return shorten(" ".join(said[:_NPM_LINES]))
    # A script of the project's own failed: what it said has no mark of npm's.
    clean = [line for line in clean if not _NPM.match(line)] or npm
    if any(_TRACEBACK in line for line in clean) and clean and RAISED.match(clean[-1]):
        return shorten(clean[-1])
    refused = [match[1] for line in clean if (match := _REFUSED.match(line))]
    if refused and any("usage: " in line.lower() for line in clean):
        return shorten(refused[-1])
    if any(_NODE_END.match(line) for line in clean) and (raised := [*filter(RAISED.match, clean)]):
        return shorten(raised[-1])
    words = [line for line in clean if any(c.isalnum() for c in line) and not _FRAME.match(line)]
    told = [line for line in words if not _CHATTER.match(line)] or words
    marked = next((at for at, line in enumerate(told) if _MARKED.match(line)), None)
    return shorten(" ".join(told[-3:] if marked is None else told[marked : marked + _MARKED_LINES]))


def _until(end: re.Pattern[str], lines: Iterable[str]) -> Iterator[str]:
    return itertools.takewhile(lambda line: not end.match(line), lines)


def _of_uv(clean: Sequence[str]) -> str:
    """What uv could not do and why: what a build raised, else all that it says of the causes."""
    start = next((index for index, line in enumerate(clean) if _GAVE_UP.match(line)), 0)
    what, rest = _GAVE_UP.sub("", clean[start]).removesuffix(":"), clean[start + 1 :]
    if raised := [line for line in rest if RAISED.match(line)]:
        return f"{what}: {raised[-1]}"
    if built := [line for line in rest if line.startswith("error: ")]:
        return f"{what}: {built[0].removeprefix('error: ')}"
    told = [_CAUSE.sub("", line) for line in rest if any(c.isalpha() for c in line)]
    return f"{what}: {' '.join(line for line in told if not line.startswith('hint: '))}"


def without_warnings(lines: Iterable[str]) -> list[str]:
    """``lines`` without Python's warnings, each with the line of source that stands below it.

    A warning without source (of a frozen module, of a shell's ``-c``) is one line: what follows it is said by
    somebody else.
    """
    found: list[str] = []
    rest = list(lines)
    while rest:
        if not _WARNING.match(rest[0]):
            found.append(rest.pop(0))
            continue
        below = rest[1 : 1 + _WARNED_LINES]
        source = next((at for at, line in enumerate(below, 1) if line.startswith("  ")), 0)
        if _NO_SOURCE.match(rest[0]) or any(_OTHERS.match(line) for line in rest[1:source]):
            source = 0
        del rest[: source + 1]
    return found


_PYTEST = re.compile(
    r"=+ .* =+$|platform \w+ -- Python|(rootdir|configfile|testpaths|plugins|cachedir|asyncio): "
    r"|collect(ing|ed) |(\[gw\d+\] )?\[ *\d+%\]|\S+\.py [.FEsxXuR,-]+ *(\[ *\d+%\])?$"
    r"|\S+::.* (PASSED|FAILED|SKIPPED|ERROR|XFAIL|XPASS)\b.*\]?$"
)
"""What pytest prints of its own accord as long as nothing is wrong."""


def without_progress(lines: Iterable[str]) -> list[str]:
    """``lines`` that pytest printed, but for those that say what it is and how far it came.

    >>> without_progress(["rootdir: /shop", "collected 2 items", "tests/test_a.py .F [100%]", "bye"])
    ['bye']
    """
    return [line for line in lines if not _PYTEST.match(plain(line).strip())]


def tail(lines: Sequence[str], number: int) -> str:
    """The last ``number`` lines that are not empty."""
    return "\n".join([line for line in lines if line.strip()][-number:])

"""What people read about a failed test, from what its runner says about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["complaint", "last_error", "one_line", "plain", "printed", "shorten", "tail", "visible"]

LENGTH = 500
"""Characters of a message at most."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FRAME = re.compile("at .*[:(]|\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT} ")
_NPM = "npm error"
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
    return shorten(first)


def plain(text: str) -> str:
    """``text`` without colours."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def visible(name: str) -> str:
    """A test's name in one line, whatever it holds: control characters become escapes."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)


def shorten(text: str) -> str:
    """``text`` in one line of at most LENGTH characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LENGTH else f"{flat[: LENGTH - 1]}…"


def last_error(detail: str) -> str:
    """The line of a traceback that names the error, where the runner did not name it apart."""
    lines = [line.strip() for line in detail.strip().splitlines() if line.strip()]
    marked = [line[1:].strip() for line in lines if line.startswith("E ")]
    found = marked or lines
    return shorten(found[-1]) if found else ""


def printed(sections: Iterable[tuple[str, str]]) -> str:
    """Captured output in one text: each part under its title, unless there is only one."""
    parts = [(title, text.rstrip("\n")) for title, text in sections if text.strip()]
    if len(parts) == 1:
        return parts[0][1]
    return "\n".join(f"-- {title} --\n{text}" for title, text in parts)


def complaint(lines: Iterable[str]) -> str:
    """What a program that gave up says is wrong, in one line, from the lines that it wrote to stderr.

    npm says it first and goes on for pages, most others say it last; stack frames say nothing.
    """
    clean = [plain(line).strip() for line in lines]
    npm = [line.removeprefix(_NPM).strip() for line in clean if line.startswith(_NPM)]
    if npm:
        said = [line for line in npm if line and not line.startswith("code ")][:3]
    else:
        said = [line for line in clean if any(c.isalnum() for c in line) and not _FRAME.match(line)][-3:]
    return shorten(" ".join(said))


def tail(lines: Sequence[str], number: int) -> str:
    """The last ``number`` lines that are not empty."""
    return "\n".join([line for line in lines if line.strip()][-number:])

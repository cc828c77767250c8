"""Turning what programs wrote into text that is safe to show: pure functions over strings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TextIO

from tasklib.shown.cleaning import clean
from tasklib.shown.cutting import flat, shorten, without_middle

__all__ = [
    "both_ends",
    "bounded",
    "can_encode",
    "lines",
    "one_line",
    "plural",
    "seconds",
    "tilde",
    "write",
]

_LEFT_OUT = re.compile(r"\[\.\.\. (\d+) lines left out \.\.\.\]")


def lines(text: str) -> list[str]:
    """The cleaned lines of ``text`` without trailing blanks and without empty ones at both ends."""
    found = [line.rstrip() for line in clean(text).split("\n")]
    while found and not found[-1]:
        found.pop()
    while found and not found[0]:
        found.pop(0)
    return found


def one_line(text: str, limit: int = 300) -> str:
    """``text`` as one cleaned line of at most ``limit`` characters."""
    return flat(clean(text), limit)


def both_ends(text: str, limit: int) -> str:
    """``text`` as one cleaned line, without its middle where it is too long: at its end stands what to do."""
    return without_middle(" ".join(clean(text).split()), limit)


def bounded(found: Sequence[str], limit: int, *, width: int = 300) -> list[str]:
    """At most ``limit`` lines of at most ``width`` characters: first and last, and how many between."""
    if len(found) > limit:
        head = limit // 3
        tail = limit - head - 1
        left = found[head : len(found) - tail]
        number = sum(_number_left_out(line) for line in left)
        found = [*found[:head], f"... {number:,} more lines ...", *found[len(found) - tail :]]
    return [shorten(line, width) for line in found]


def _number_left_out(line: str) -> int:
    """How many lines this one stands for: what runs the tests has shortened what is too long for anybody."""
    cut = _LEFT_OUT.fullmatch(line.strip())
    return int(cut[1]) if cut else 1


def seconds(value: float) -> str:
    """A duration for people: ``0.4s``, ``12.3s``, ``2m 05s``, ``1h 02m``."""
    if value < 59.95:
        return f"{max(value, 0):.1f}s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"


def plural(count: int, noun: str) -> str:
    """``1 test``, ``1,240 tests``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def tilde(path: str, home: str) -> str:
    """``path`` as people write it: what is in their home begins with ``~``."""
    inside = len(home) > 1 and path.startswith(home.rstrip("/") + "/")
    return "~" + path[len(home.rstrip("/")) :] if inside else path


def can_encode(stream: TextIO, text: str) -> bool:
    """Whether the stream's encoding has every character of ``text``."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write(stream: TextIO, text: str) -> None:
    """Write and flush; what the stream's encoding lacks becomes a question mark."""
    if not can_encode(stream, text):
        encoding = getattr(stream, "encoding", None) or "ascii"
        text = text.encode(encoding, "replace").decode(encoding)
    stream.write(text)
    stream.flush()

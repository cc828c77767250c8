"""Tests that name a fixed address of this machine, where a stack has another one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from tasklib.pipeline.suites.detect import sources

__all__ = ["FixedAddress", "fixed_addresses", "warning"]

_HOST = r"(?:localhost|127\.0\.0\.1)"
_ADDRESS = re.compile(
    rf"(?<![\w.-]){_HOST}:(?P<port>\d{{2,5}})\b"
    rf"|[\"']{_HOST}[\"']\s*,\s*(?:[\"']?port[\"']?\s*[=:]\s*)?[\"']?(?P<number>\d{{2,5}})\b"
)
_VARIABLE = re.compile(r"environ|getenv|\benv\b")
"""Where a variable is asked first, the address is what it falls back on."""

_TEXT = re.compile(r"(?ms)^[ \t]*[rR]?(\"{3}|'{3}).*?\1")
"""A string that is a statement of its own: it says what tests are for."""

_EXPECTED_BEFORE = re.compile(
    r"(==|!=|\b(not )?in\b|\.to[A-Z]\w*\(|\bassert\w*(Equal|In|Contains|Match)\w*\(.*,"
    r"|\b(origin|referer)\b[\"']?\s*[:=,])[^()]*$",
    re.IGNORECASE,
)
_EXPECTED_AFTER = re.compile(r"[^\"'()]*[\"'`]\s*(==|!=|(not )?in\b)")
"""What is compared with text, or names another server to one, is not where the test goes."""


class FixedAddress(Struct, frozen=True):
    """An address in a file, by line and column (from 1)."""

    line: int
    column: int
    text: str
    port: int


def fixed_addresses(text: str) -> Iterator[FixedAddress]:
    """The addresses that the source ``text`` uses: no comment, no text, nothing that a variable replaces."""
    texts = (
        [found.span() for found in _TEXT.finditer(text)] if "localhost" in text or "127.0.0.1" in text else []
    )
    for found in _ADDRESS.finditer(text):
        start = text.rfind("\n", 0, found.start()) + 1
        line = text[start:].partition("\n")[0]
        before, after = line[: found.start() - start], line[found.end() - start :]
        if any(begin <= found.start() < end for begin, end in texts) or _is_comment(before):
            continue
        if (
            not _EXPECTED_BEFORE.search(before)
            and not _EXPECTED_AFTER.match(after)
            and not _VARIABLE.search(line)
        ):
            number, column = text.count("\n", 0, start) + 1, found.start() - start + 1
            port = int(found["port"] or found["number"])
            yield FixedAddress(number, column, " ".join(found[0].split()), port)


def _is_comment(before: str) -> bool:
    """Whether what follows ``before`` on its line is one."""
    begun = re.search(r"(^|\s)(#|//|\*(\s|$)|/\*)", before)
    return begun is not None and all(before[: begun.start()].count(quote) % 2 == 0 for quote in "\"'`")


def warning(places: Iterable[Path], published: Mapping[int, tuple[str, int]], root: Path) -> str:
    """One line where tests in ``places`` name a host port that their stack's file has, and the stack has not.

    ``published`` are the file's host ports with their services and container ports; ``root`` is what the file
    is shown relative to. Empty where none does.
    """
    found = [
        (path, address)
        for place in places
        for path in sources(place)
        for address in fixed_addresses(path.read_text(encoding="utf-8", errors="replace"))
        if address.port in published
    ]
    if not found:
        return ""
    path, first = found[0]
    where = path.relative_to(root) if path.is_relative_to(root) else path
    service, port = published[first.port]
    name = f"TEST_{service.upper().replace('-', '_')}"
    others = len(found) - 1
    more = f", and {others} more such place{'s' if others > 1 else ''}" if others else ""
    return (
        f"{where}:{first.line} names {first.text}{more}: port {port} of {service} is a free one here, which "
        f"{name}_HOST and {name}_PORT tell; `endpoints` gives variables of other names"
    )

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


class FixedAddress(Struct, frozen=True):
    """An address in a file, by line and column (from 1)."""

    line: int
    column: int
    text: str
    port: int


def fixed_addresses(text: str) -> Iterator[FixedAddress]:
    """The addresses that the source ``text`` names, but for comments and what a variable may replace."""
    for found in _ADDRESS.finditer(text):
        start = text.rfind("\n", 0, found.start()) + 1
        line = text[start:].partition("\n")[0]
        if not line.lstrip().startswith(("#", "//", "*")) and not _VARIABLE.search(line):
            number, column = text.count("\n", 0, start) + 1, found.start() - start + 1
            port = int(found["port"] or found["number"])
            yield FixedAddress(number, column, " ".join(found[0].split()), port)


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

"""What the doctor finds, as values."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from msgspec import Struct

__all__ = ["Edit", "Finding", "Severity"]


class Severity(StrEnum):
    """How bad it is. An error breaks isolation, or tests; a warning costs time or will surprise somebody."""

    ERROR = "error"
    WARNING = "warning"


class Edit(Struct, frozen=True, order=True):
    """Replace what stands from ``start`` to ``end`` (characters of the file's text) by ``text``."""

    start: int
    end: int
    text: str


class Finding(Struct, frozen=True):
    """One thing that is wrong: where, what, and how it is mended.

    ``line`` and ``column`` count from 1, ``message`` is one sentence, ``fix`` says in words what to do, and
    ``edits`` do it where edits can.
    """

    code: str
    severity: Severity
    file: Path
    line: int
    column: int
    message: str
    fix: str
    edits: tuple[Edit, ...] = ()

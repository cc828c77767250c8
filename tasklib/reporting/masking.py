"""Secrets never reach a terminal, a log or a report: their values are replaced in every event."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, cast
from urllib.parse import quote, quote_plus

from tasklib.events import Event, Sink
from tasklib.reporting.secrets import MIN_LENGTH
from tasklib.results import Target

__all__ = ["MASK", "MaskedSink", "Masker"]

MASK = "***"
_STRUCTURE = frozenset({"file", "folders", "log_file"})
"""Fields that name files: masked they would name none."""


class Masker:
    """Replaces secret values in text, also where they were quoted for a URL or for JSON.

    Values shorter than 8 characters are left alone. A value of several lines is masked line by line, as
    logs show it. Values may be added while other threads mask.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._values: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Mask these as well from now on."""
        found = {
            spelled
            for value in values
            for part in (value, *value.splitlines())
            if len(part.strip()) >= MIN_LENGTH
            for spelled in _spellings(part.strip())
        }
        with self._lock:
            if found <= self._values:
                return
            self._values |= found
            # The longest first: a value that contains another one is masked as a whole.
            ordered = sorted(self._values, key=lambda value: (-len(value), value))
            self._pattern = re.compile("|".join(map(re.escape, ordered)))

    def mask(self, text: str) -> str:
        """``text`` itself where it holds no secret."""
        pattern = self._pattern
        if not pattern or not text:
            return text
        masked, count = pattern.subn(MASK, text)
        return masked if count else text

    @property
    def active(self) -> bool:
        return self._pattern is not None


def _spellings(value: str) -> set[str]:
    return {value, quote(value, safe=""), quote(value), quote_plus(value), json.dumps(value)[1:-1]}


class MaskedSink:
    """Hands every event on with all its strings masked; names of targets and files stay as they are."""

    def __init__(self, sink: Sink, masker: Masker) -> None:
        self._sink = sink
        self._masker = masker

    def emit(self, event: Event) -> None:
        if self._masker.active:
            event = cast("Event", _masked(event, self._masker))
        self._sink.emit(event)


def _masked(value: Any, masker: Masker) -> Any:
    """``value`` itself where nothing in it was masked, else a copy."""
    if isinstance(value, (Enum, Target, float, int)) or value is None:
        return value
    if isinstance(value, str):
        return masker.mask(value)
    if isinstance(value, tuple):
        parts = tuple(_masked(part, masker) for part in value)
        return parts if any(new is not old for new, old in zip(parts, value, strict=True)) else value
    if is_dataclass(value) and not isinstance(value, type):
        old = {name: getattr(value, name) for name in _names(type(value))}
        new = {name: part if name in _STRUCTURE else _masked(part, masker) for name, part in old.items()}
        return type(value)(**new) if any(new[name] is not old[name] for name in new) else value
    return value


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))

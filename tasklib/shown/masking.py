"""Secrets never reach a terminal, a log or a report: what this process knows of them, and hiding it.

One process knows one set of secrets, as what it shows has many ways out: whoever learns of variables tells
:func:`hide`, and whatever is to be shown, or to be cut before that, goes through :func:`mask` first.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import threading
from collections.abc import Hashable, Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import quote, quote_plus

from tasklib.shown.cleaning import clean
from tasklib.shown.secrets import MIN_LENGTH, secret_values

__all__ = ["MASK", "Masker", "forget", "hide", "hide_names", "mask", "masked"]

MASK = "***"
_STRUCTURE = frozenset({"file", "folders", "log_file", "root", "dir", "service"})
"""Fields that name files and services: masked they would name none."""

_END = 24
"""Characters at either end of a long value by which it is known where others cut it."""

_Value = TypeVar("_Value")


class Masker:
    """Replaces secret values in text, also where they were quoted for a URL, for JSON or for a shell.

    Values shorter than 8 characters are left alone. A value of several lines is masked line by line, as
    logs show it, and one that is longer than twice :data:`_END` also where it was cut (a program that shows
    the beginning and the end of what is long). Values may be added while other threads mask.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._values: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self._long: tuple[str, ...] = ()
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
            self._long = tuple(value for value in ordered if len(value) > 2 * _END)

    def mask(self, text: str) -> str:
        """``text`` itself where it holds no secret."""
        pattern = self._pattern
        if not pattern or not text:
            return text
        hidden = self._hidden(pattern, text)
        if "\x1b" in hidden and (without := self._hidden(pattern, plain := clean(hidden))) != plain:
            return without  # Colours inside of a value tear it apart.
        return hidden

    def _hidden(self, pattern: re.Pattern[str], text: str) -> str:
        hidden, count = pattern.subn(MASK, text)
        shown = hidden if count else text
        for value in self._long:
            shown = _without_cut(value, shown)
        return shown

    def masked(self, value: _Value) -> _Value:
        """``value`` with all its strings masked, also inside of tuples and records; itself if none was.

        Names of targets and of files stay as they are.
        """
        return cast("_Value", _masked(value, self)) if self._pattern else value


def _spellings(value: str) -> set[str]:
    """The value as others write it: in URLs, in JSON, for a shell, and when its escapes were taken out."""
    as_json = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    found = {value, quote(value, safe=""), quote(value), quote_plus(value), shlex.quote(value), *as_json}
    cleaned = clean(value).strip()
    return found | ({cleaned} if len(cleaned) >= MIN_LENGTH else set())


def _without_cut(value: str, text: str) -> str:
    """``text`` without beginnings and ends of ``value``, as far as they go."""
    head, tail = value[:_END], value[-_END:]
    while (start := text.find(head)) >= 0:
        same = _in_common(text[start : start + len(value)], value)
        text = text[:start] + MASK + text[start + same :]
    while (start := text.find(tail)) >= 0:
        before = text[max(0, start - len(value)) : start][::-1]
        same = _in_common(before, value[:-_END][::-1])
        text = text[: start - same] + MASK + text[start + _END :]
    return text


def _in_common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _masked(value: Any, masker: Masker) -> Any:
    """``value`` itself where nothing in it was masked, else a copy."""
    if isinstance(value, (Enum, float, int)) or value is None:
        return value
    if isinstance(value, str):
        return masker.mask(value)
    if isinstance(value, tuple):
        parts = tuple(_masked(part, masker) for part in value)
        return parts if any(new is not old for new, old in zip(parts, value, strict=True)) else value
    kind: Any = type(value)
    if names := _names(kind):
        old = {name: getattr(value, name) for name in names}
        new = {name: part if name in _STRUCTURE else _masked(part, masker) for name, part in old.items()}
        return kind(**new) if any(new[name] is not old[name] for name in new) else value
    return value


@cache
def _names(kind: Hashable) -> tuple[str, ...]:
    return tuple(getattr(kind, "__struct_fields__", ()))


# -- what this process knows ------------------------------------------------------------------------------


class _Process:
    """The secrets of our own environment, and what was learned since."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.masker = Masker(secret_values(os.environ))


_lock = threading.Lock()
_known: _Process | None = None


def _process() -> _Process:
    global _known
    with _lock:
        if _known is None:
            _known = _Process()
        return _known


def hide(variables: Mapping[str, str]) -> None:
    """The secrets among ``variables`` are not to be shown from now on."""
    known = _process()
    known.masker.add(secret_values(variables, known.names))


def hide_names(names: Iterable[str]) -> None:
    """Variables of these ``names`` hold secrets too, in our own environment and in all that follows."""
    known = _process()
    known.names = tuple(dict.fromkeys([*known.names, *names]))
    hide(os.environ)


def mask(text: str) -> str:
    """``text`` without any secret that this process knows."""
    return _process().masker.mask(text)


def masked(value: _Value) -> _Value:
    """The same for all strings of an event, a message or another record; see :meth:`Masker.masked`."""
    return _process().masker.masked(value)


def forget() -> None:
    """Know nothing but our own environment again. For tests: what one learned is none of the next one's."""
    global _known
    with _lock:
        _known = None

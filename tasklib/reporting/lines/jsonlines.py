"""Events as JSON, one object a line: for programs, and to replay a run. docs/json-events.md describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO, get_args

from tasklib.events import Event
from tasklib.reporting.values import plain
from tasklib.reporting.words.text import write
from tasklib.shown.cleaning import harmless_json

__all__ = ["KINDS", "VERSION", "JsonSink", "from_object", "to_object"]

VERSION = 1
"""Raised when a field changes its meaning or goes; new fields and new kinds of events leave it as it is."""


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


KINDS: Mapping[str, type] = {_snake(kind.__name__): kind for kind in get_args(Event)}
"""Every kind of event by its name in JSON: ``test_finished`` and so on."""

_NAMES = {kind: name for name, kind in KINDS.items()}


def to_object(event: Event) -> dict[str, Any]:
    """The event as values that JSON has: ``{"v": 1, "event": "test_finished", "at": …, …}``."""
    return {"v": VERSION, "event": _NAMES[type(event)], "at": event.at, **plain(event)}


def from_object(found: Mapping[str, Any]) -> Event:
    """The event that :func:`to_object` wrote; unknown fields are left out.

    Raises :class:`ValueError` for another version, an unknown kind or fields of wrong types.
    """
    # Only replaying needs it: a run that only writes does not pay for its import.
    import msgspec

    if found.get("v") != VERSION:
        raise ValueError(f"version {found.get('v')!r} of the event schema, not {VERSION}")
    kind = KINDS.get(str(found.get("event")))
    if kind is None:
        raise ValueError(f"unknown event {found.get('event')!r}")
    try:
        event: Event = msgspec.convert(dict(found), kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    return event


class JsonSink:
    """Writes each event as one line of JSON, in ASCII, as it comes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def emit(self, event: Event) -> None:
        text = json.dumps(to_object(event), separators=(",", ":"))
        write(self._stream, f"{harmless_json(text)}\n")

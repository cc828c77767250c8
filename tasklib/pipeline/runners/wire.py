"""The events that the injected pytest plugin and the vitest reporter write, as typed values.

The plugin's own docstring says what each one means. ``at`` is seconds since the epoch, 0 where not told.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

__all__ = [
    "Absent",
    "Broken",
    "Collected",
    "End",
    "EventFile",
    "Failure",
    "Finish",
    "Hello",
    "Importing",
    "Left",
    "Message",
    "Shared",
    "Start",
    "Stop",
]


class Hello(msgspec.Struct, frozen=True, tag="hello", tag_field="e"):
    pid: int
    root: str
    pytest: str = ""
    worker: str = ""
    dir: str = ""


class Collected(msgspec.Struct, frozen=True, tag="collected", tag_field="e"):
    n: int
    deselected: int = 0
    worker: str = ""


class Importing(msgspec.Struct, frozen=True, tag="importing", tag_field="e"):
    id: str


class Shared(msgspec.Struct, frozen=True, tag="shared", tag_field="e"):
    digest: str


class Start(msgspec.Struct, frozen=True, tag="start", tag_field="e"):
    id: str
    worker: str = ""
    at: float = 0.0


class Failure(msgspec.Struct, frozen=True):
    when: str
    message: str
    detail: str
    sub: str = ""
    file: str | None = None
    line: int | None = None


class Finish(msgspec.Struct, frozen=True, tag="finish", tag_field="e"):
    id: str
    outcome: str
    seconds: tuple[float, float, float]
    worker: str = ""
    at: float = 0.0
    file: str | None = None
    line: int | None = None
    why: str = ""
    failures: tuple[Failure, ...] = ()
    sections: tuple[tuple[str, str], ...] = ()


class Broken(msgspec.Struct, frozen=True, tag="broken", tag_field="e"):
    id: str
    kind: str
    message: str
    detail: str
    line: int | None = None


class Absent(msgspec.Struct, frozen=True, tag="absent", tag_field="e"):
    id: str
    why: str


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="e"):
    kind: str
    why: str


class Left(msgspec.Struct, frozen=True, tag="left", tag_field="e"):
    id: str


class End(msgspec.Struct, frozen=True, tag="end", tag_field="e"):
    code: int
    only_collected: bool = False
    coverage: tuple[float, float] | None = None
    warnings: int = 0
    marks: str = ""
    words: str = ""
    left: str = ""
    seed: str = ""


Message = Hello | Importing | Collected | Shared | Start | Finish | Broken | Absent | Stop | Left | End

_DECODER: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def decode(line: bytes) -> Message | None:
    """One line's message; ``None`` for what is none (torn by a full disk)."""
    try:
        return _DECODER.decode(line)
    except msgspec.MsgspecError:
        pass
    try:
        # A test's id or message may hold what is no text (lone surrogates): keep the message, mark the place.
        cleaned = json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace")
        return _DECODER.decode(cleaned)
    except (ValueError, msgspec.MsgspecError):
        return None


class EventFile:
    """Reads what was appended to a file since the last look. A context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o600)
        self._file = path.open("rb", buffering=0)
        self._rest = b""

    def __enter__(self) -> EventFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def lines(self) -> list[bytes]:
        """The whole lines that are new."""
        chunk = self._file.read()
        if not chunk:
            return []
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        return whole

    def messages(self) -> list[Message]:
        """The new messages, in the order they were written."""
        return [message for line in self.lines() if (message := decode(line)) is not None]

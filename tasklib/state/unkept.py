"""What could not be kept, since the state folder's disk is full, until somebody says so."""

from __future__ import annotations

import threading
from pathlib import Path

__all__ = ["note_unkept", "take_unkept"]

_MEANING = {
    "bakes": "which stores are baked",
    "checkouts": "where this checkout was seen",
    "claims": "whose the instance is",
    "compose": "what plain Compose is told of the stack (COMPOSE_FILE)",
    "images": "which images were built, which `clean` needs to find them",
    "nox": "which sessions failed",
    "passes": "what passed (for --cached)",
    "runs": "what a later run would clean up after this one",
}
"""By the folder of the records."""

_lock = threading.Lock()
_lost: dict[str, Path] = {}


def note_unkept(name: str, root: Path) -> None:
    """The record ``name`` of the state folder ``root`` could not be written."""
    kind = name.partition("/")[0]
    with _lock:
        _lost[_MEANING.get(kind, kind)] = root


def take_unkept() -> str:
    """What is lost in one line, empty where nothing is; the next one is told of what comes after."""
    with _lock:
        found = dict(_lost)
        _lost.clear()
    if not found:
        return ""
    return (
        f"the disk of {next(iter(found.values()))} is full or read-only; not kept: {'; '.join(sorted(found))}"
    )

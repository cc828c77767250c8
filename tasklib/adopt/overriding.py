"""PURE: code that puts a file's variables in the place of those that it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasklib.adopt.evidence import Evidence, Place
from tasklib.adopt.proposal import Note

__all__ = ["overriding"]

_OVERRIDES = re.compile(
    r"\bload_dotenv\([^()\n]*\boverride\s*=\s*True|\bconfig\(\s*\{[^{}]*\boverride\s*:\s*true"
)


def overriding(evidence: Evidence) -> Iterator[Note]:
    """That no setting says where the stack is, as long as a file does."""
    places = []
    for file, text in sorted(evidence.texts.items()):
        if file.endswith((".py", ".js", ".ts", ".cjs", ".mjs")):
            for found in _OVERRIDES.finditer(text):
                places.append(Place(file, text.count("\n", 0, found.start()) + 1))
    if places:
        yield Note(
            "what a file of variables says wins over the addresses that a run gives: take `override` out",
            tuple(places),
        )

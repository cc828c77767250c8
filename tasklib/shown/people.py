"""The last step before people read something: what others wrote or chose is shown, and steers nothing."""

from __future__ import annotations

import os

from tasklib.shown.cleaning import clean, neutral, obeys
from tasklib.shown.masking import mask

__all__ = ["for_patches", "for_people"]


def for_people(text: str) -> str:
    """``text`` without secrets, escapes and control characters, and without commands to the CI system."""
    return _in_ci(clean(mask(text)))


def for_patches(line: str) -> str:
    """The same of a line of a diff: tabs, and what ends a line elsewhere, are part of what it changes."""
    hidden = mask(line)
    end = "\r" if hidden.endswith("\r") else ""
    return _in_ci("\t".join(map(clean, hidden.removesuffix(end).split("\t")))) + end


def _in_ci(text: str) -> str:
    return neutral(text) if obeys(os.environ) else text

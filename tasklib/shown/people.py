"""The last step before people read something: what others wrote or chose is shown, and steers nothing."""

from __future__ import annotations

import os

from tasklib.shown.cleaning import clean, in_actions, neutral
from tasklib.shown.masking import mask

__all__ = ["for_people"]


def for_people(text: str) -> str:
    """``text`` without secrets, escapes and control characters; in a job of Actions, without commands."""
    found = clean(mask(text))
    return neutral(found) if in_actions(os.environ) else found

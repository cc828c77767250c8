"""The last step before people read something: what others wrote or chose is shown, and steers nothing."""

from __future__ import annotations

import os

from tasklib.shown.cleaning import clean, neutral, obeys
from tasklib.shown.masking import mask

__all__ = ["for_people"]


def for_people(text: str) -> str:
    """``text`` without secrets, escapes and control characters; without commands to the CI system."""
    found = clean(mask(text))
    return neutral(found) if obeys(os.environ) else found

"""PURE: how long ago something was, in words."""

from __future__ import annotations

__all__ = ["ago"]


def ago(seconds: float) -> str:
    """How long ago something was, roughly.

    >>> ago(12 * 60), ago(2), ago(3 * 86400)
    ('12 min ago', 'just now', '3 days ago')
    """
    for unit, length in (("day", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number = int(seconds // length)
        if number >= (10 if unit == "s" else 1):
            return f"{number} {unit}{'s' if unit == 'day' and number > 1 else ''} ago"
    return "just now"

"""Compose's durations (``1m30s``, ``1h2m3.5s``, ``500ms``) as seconds and back."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

__all__ = ["duration", "seconds"]

_UNITS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
    "w": Decimal(604800),
}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)")


def seconds(text: Any) -> float | None:
    """Seconds of a duration; a bare number is nanoseconds, as in Go; ``None`` for what is no duration."""
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, int | float):
        return float(text) / 1e9
    whole = str(text).strip()
    if whole == "0":
        return 0.0
    total, at = Decimal(0), 0
    while at < len(whole):
        part = _PART.match(whole, at)
        if part is None:
            return None
        total += Decimal(part[1]) * _UNITS[part[2]]
        at = part.end()
    return float(total) if whole else None


def duration(value: float) -> str:
    """``value`` seconds as Compose prints them, to the millisecond: ``90.5`` → ``1m30.5s``."""
    milliseconds = round(value * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{text}{Decimal(rest) / 1000:f}s"

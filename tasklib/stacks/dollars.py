"""PURE: what a text of a rendered config means, in which every dollar is doubled."""

from __future__ import annotations

__all__ = ["plain"]


def plain(value: object) -> str:
    """``value`` as it is meant: rendering writes ``$$`` for ``$``, in values, keys and paths alike."""
    return str(value).replace("$$", "$")

"""PURE: which of the names that are known someone meant who typed another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["alike", "meant", "nearest"]

_LIKE = 0.6
"""How much alike two words have to be for one to be offered for the other; 1 is the same word."""


def alike(word: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that looks like ``word``; ``None`` where none does.

    Capitals, underscores and the dashes before a word make it look like no other, and count for nothing.
    """
    return _best(word, known, _LIKE)


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of ``known`` (not empty) that looks most like ``word``, however little."""
    found = _best(word, known, 0.0)
    assert found is not None
    return found


def meant(word: str, known: Iterable[str], *, quoted: Callable[[str], str] = str) -> str:
    """``Did you mean api?`` where one of ``known`` looks like ``word``, else nothing."""
    found = alike(word, known)
    return f"Did you mean {quoted(found)}?" if found else ""


def _best(word: str, known: Iterable[str], least: float) -> str | None:
    # Only those who mistype something pay for it.
    from difflib import get_close_matches

    folded = {_folded(name): name for name in known}
    found = get_close_matches(_folded(word), folded, 1, least)
    return folded[found[0]] if found else None


def _folded(word: str) -> str:
    return word.lower().lstrip("-").replace("_", "-")

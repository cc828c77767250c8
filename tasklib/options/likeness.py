"""Which of the names that are known someone meant who typed another one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["alike", "meant"]


def alike(word: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that looks like ``word``; ``None`` where none does.

    Dashes before a word make it look like any other option and count for nothing.
    """
    # Only those who mistype something pay for it.
    from difflib import get_close_matches

    bare = {name.lower().lstrip("-"): name for name in known}
    found = get_close_matches(word.lower().lstrip("-"), bare, 1, 0.6)
    return bare[found[0]] if found else None


def meant(word: str, known: Iterable[str], *, quoted: Callable[[str], str] = str) -> str:
    """``Did you mean api?`` where one of ``known`` looks like ``word``, else nothing."""
    found = alike(word, known)
    return f"Did you mean {quoted(found)}?" if found else ""

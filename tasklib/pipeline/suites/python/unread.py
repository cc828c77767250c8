"""Files that describe an environment and that nobody here reads: they are named, so that nobody wonders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["unread"]

_WHOLE = (
    "environment.yml",
    "environment.yaml",
    "conda-lock.yml",
    "pixi.toml",
    "pylock.toml",
    "pylock.dev.toml",
)
_TOX = ("tox.ini", "tox.toml")
_DEPENDENCIES = re.compile(r"(?m)^\s*deps\s*=")


def unread(folders: Iterable[Path]) -> tuple[str, ...]:
    """A line that names those in the nearest of ``folders`` that has any, or nothing."""
    for folder in folders:
        if names := tuple(_in(folder)):
            return (f"not read: {', '.join(names)}",)
    return ()


def _in(folder: Path) -> Iterator[str]:
    yield from (name for name in _WHOLE if (folder / name).is_file())
    for name in _TOX:
        try:
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if _DEPENDENCIES.search(text):
            yield name

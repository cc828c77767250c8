"""What is there, asked of names that anybody may have chosen."""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_file"]


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file system takes (too long, with a NUL) is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False

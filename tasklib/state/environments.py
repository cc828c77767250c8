"""Python environments that tests of another version have to themselves, apart from the user's own."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tasklib.state.store import State

__all__ = ["environments_of", "remove_environments"]

_FOLDER = "environments"
_OWNER = "owner"


def environments_of(root: Path, state: State) -> Path:
    """The folder for those of the project at ``root``; those of projects that are gone are removed.

    Raises :class:`~tasklib.errors.ConfigError` when the state folder cannot be used.
    """
    for folder in state.made(_FOLDER).iterdir():
        try:
            gone = not Path((folder / _OWNER).read_text(encoding="utf-8")).is_dir()
        except OSError:
            continue  # Just being made, or not ours to read: unknown is alive.
        if gone:
            shutil.rmtree(folder, ignore_errors=True)
    own = state.made(_name(root))
    (own / _OWNER).write_text(str(root), encoding="utf-8")
    return own


def remove_environments(root: Path, state: State) -> bool:
    """Remove those of the project at ``root``; whether there were any."""
    folder = state.root / _name(root)
    there = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    return there


def _name(root: Path) -> str:
    return f"{_FOLDER}/{hashlib.sha256(bytes(root)).hexdigest()[:16]}"

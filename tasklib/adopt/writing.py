"""The proposal applied: each file whole, all of them or none, and nothing that was not read before."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from tasklib.adopt.evidence import Evidence
from tasklib.checkout import git
from tasklib.errors import TasklibError, UsageError
from tasklib.files.whole import write_whole

__all__ = ["apply", "refuse_unsafe"]


def refuse_unsafe(root: Path, files: Mapping[str, str | None], evidence: Evidence) -> None:
    """Refuse to touch what is not as it was read, or could not be had back from git.

    Raises :class:`~tasklib.errors.UsageError`.
    """
    for name in files:
        path = root / name
        if path.is_symlink():
            raise UsageError(
                "is a link, and is left alone", where=str(path), remedy="Put a file in its place."
            )
        known = name in evidence.files
        if os.path.lexists(path) != known or (known and _text(path) != evidence.texts.get(name)):
            raise UsageError(
                "was changed since it was read, or git ignores it",
                where=str(path),
                remedy="Run it again, or move that file away.",
            )
    changed = _uncommitted(root, [name for name in files if name in evidence.files])
    if changed:
        raise UsageError(
            f"not committed, and about to be changed: {', '.join(changed)}",
            remedy="Commit or stash them first: then what --write changes can be seen, and taken back.",
        )


def apply(root: Path, files: Mapping[str, str | None], before: Mapping[str, str]) -> None:
    """Put ``files`` in their places (``None``: remove). What fails in the middle is as if it had not begun.

    Raises :class:`~tasklib.errors.UsageError` where a file cannot be written.
    """
    done: list[str] = []
    made: list[Path] = []
    try:
        for name, text in files.items():
            done.append(name)
            _put(root / name, text, made)
    except OSError as error:
        for name in reversed(done):
            with contextlib.suppress(OSError):
                _put(root / name, before.get(name), [])
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        what = f"cannot be written: {error.strerror or error}; nothing was changed"
        raise UsageError(what, where=str(root / done[-1])) from None


def _put(path: Path, text: str | None, made: list[Path]) -> None:
    if text is None:
        path.unlink(missing_ok=True)
        return
    for folder in reversed([parent for parent in path.parents if not parent.exists()]):
        folder.mkdir()
        made.append(folder)
    write_whole(path, text.encode())


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _uncommitted(root: Path, names: list[str]) -> list[str]:
    """Those of ``names`` that git could not give back as they are; none where there is no git."""
    if not names:
        return []
    try:
        asked = git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--", *names, check=False)
    except TasklibError:
        return []
    rows = [row for row in asked.stdout.rstrip("\n").split("\0") if row] if asked.code == 0 else []
    return sorted(row[3:] for row in rows)

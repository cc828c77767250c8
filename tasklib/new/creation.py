"""A new project's folder: there as a whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tasklib.checkout import git
from tasklib.errors import UsageError

__all__ = ["check_free", "create", "write"]


def check_free(folder: Path) -> None:
    """Raises :class:`~tasklib.errors.UsageError` where something is in the way of a new ``folder``."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder.name} is there already, and is no folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"the folder {folder.name} is there already, and is not empty",
            remedy="Give the new project another name, or empty that folder.",
        )


def create(folder: Path, files: Mapping[str, str], *, repository: bool) -> None:
    """Make ``folder`` with ``files``, by path; as a git ``repository`` of its own if it is to be one, where
    there is git.

    Raises :class:`~tasklib.errors.TasklibError` where it cannot be written, and leaves nothing then.
    """
    try:
        _create(folder, files, repository=repository)
    except OSError as error:
        raise UsageError(f"the folder {folder.name} cannot be created: {error.strerror or error}") from None


def _create(folder: Path, files: Mapping[str, str], *, repository: bool) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        made = Path(scratch, folder.name)
        write(made, files)
        if repository and shutil.which("git"):
            git(made, "init", "--quiet", "--initial-branch=main")
        if folder.is_dir():
            folder.rmdir()
        made.rename(folder)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write ``files``, by path below ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

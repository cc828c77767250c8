"""Files and folders that the settings name: they have to be there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from tasklib.errors import ConfigError
from tasklib.project.configuration import TABLE
from tasklib.project.toml import Document
from tasklib.shown.cutting import shorten
from tasklib.siblings.lacking import brings, found_elsewhere

__all__ = ["Places", "way_to"]

_KINDS: dict[Callable[[Path], bool], str] = {
    Path.is_dir: "folder",
    Path.is_file: "file",
    Path.exists: "file or folder",
}


class Places(Struct, frozen=True):
    """Resolves what the settings in ``document`` name."""

    document: Document

    def required(self, folder: Path, name: str, exists: Callable[[Path], bool], *keys: str) -> Path:
        """``name`` in ``folder``. Raises :class:`~tasklib.errors.ConfigError` where ``exists`` denies it."""
        path = Path(os.path.normpath(folder / name))
        try:
            there = exists(path)
        except (OSError, ValueError) as error:  # too long for any file system, a NUL, a closed folder
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise self.error(f"`{'.'.join(keys)}`: {shorten(str(path), 200)}: {why}", *keys) from error
        if not there:
            what = f"`{'.'.join(keys)}`: there is no {_KINDS[exists]} {path}"
            raise self.document.error(what, *(*TABLE, *keys), remedy=way_to(path))
        return path

    def files(self, folder: Path, named: str | list[str] | None, *keys: str) -> tuple[Path, ...] | None:
        """The files that are named, ``None`` where the key is not set."""
        return None if named is None else self.all(folder, _listed(named), Path.is_file, *keys)

    def all(
        self, folder: Path, names: Iterable[str], exists: Callable[[Path], bool], *keys: str
    ) -> tuple[Path, ...]:
        return tuple(self.required(folder, name, exists, *keys) for name in names)

    def error(self, what: str, *keys: str, remedy: str | None = None) -> ConfigError:
        """About the key ``keys`` of our table."""
        return self.document.error(what, *(*TABLE, *keys), remedy=remedy)


def way_to(path: Path) -> str | None:
    """What brings a file that is missing, where it is known: another checkout, or the example beside it."""
    there = found_elsewhere(path)
    return brings(there, path) if there else example_beside(path)


def example_beside(path: Path) -> str | None:
    """What to do about a variables' file that is not there, where an example of it lies beside it."""
    patterns = ("{}.example", "{}.sample", "{}.template", "{}.dist", "{}.defaults")
    names = [pattern.format(path.name) for pattern in patterns]
    if path.name.startswith(".env"):
        names += [f"{name[1:]}" for name in names] + ["example.env", "sample.env"]
    found = next((name for name in names if (path.parent / name).is_file()), None)
    return f"There is {found} beside it: `cp {found} {path.name}` in {path.parent}." if found else None


def _listed(named: str | list[str]) -> list[str]:
    return [named] if isinstance(named, str) else named

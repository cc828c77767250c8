"""What the texts in a folder name outside of it: manifests, settings and sources alike.

Paths with ``..`` are read as they stand; others (``ROOT / "libs" / "common"``, ``$(TOP)/libs/common``) are
looked for in the folders above. What does not exist is no path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct, field

from tasklib.changes.disk import sees
from tasklib.changes.links import files_in
from tasklib.changes.texts import above_file, below, outward, says
from tasklib.checkout import git
from tasklib.errors import TasklibError

__all__ = ["Mentions"]

_OTHERWISE_READ = re.compile(
    r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS).*|.*\.(md|rst|adoc|lock|svg|map|csv|sql|dockerfile)|Dockerfile.*|(docker-)?compose.*\.ya?ml"
    r"|.*-lock\.(json|ya?ml)",
    re.IGNORECASE,
)
"""Prose, data and what tools write; images and stacks are read by readers of their own."""

_IMPORTING = re.compile(r".*\.([cm]?[jt]sx?|vue|svelte|astro|css|s[ac]ss|less|html?)", re.IGNORECASE)
"""Where a path is relative to the file, never to where the tests are started."""

_MANIFEST = re.compile(
    r"pyproject\.toml|requirements.*\.txt|setup\.cfg|package\.json|tsconfig.*\.json|Cargo\.toml|go\.mod"
)
_PROJECT = re.compile(r".+\.(cs|fs|vb)proj|tsconfig.*\.json|package\.json|pyproject\.toml|Cargo\.toml")
"""A file that stands for its whole folder."""

_SETTINGS = re.compile(
    r"[^.]*|.*\.(bash|bat|bazel|bzl|cfg|cmake|conf|env|fish|gradle|ini|just|mk|ps1|properties|sh|toml|txt|ya?ml)"
)
"""Where a bare word may name a folder: in settings, build files and scripts."""

_LARGE = 300_000
"""Bytes from which a file is not written by hand."""


class _Listing(Struct, frozen=True):
    """What is in a folder; ``stems`` are the files by what an import may call them: without an ending."""

    names: frozenset[str] = frozenset()
    stems: dict[str, list[str]] = field(default_factory=dict)


class Mentions(Struct, frozen=True):
    """The reader of the texts below ``top``; it reads and lists every folder once.

    Within, paths are text: there are many thousands of them, and most lead back into their own folder.
    """

    top: Path
    _read: dict[Path, tuple[Path, ...]] = field(default_factory=dict)
    _listed: dict[str, _Listing] = field(default_factory=dict)

    def of(self, folder: Path) -> tuple[Path, ...]:
        """The files and folders outside of ``folder`` and below the top that its texts name."""
        if folder == self.top:
            return ()
        if folder not in self._read:
            found: dict[str, None] = {}
            asked: set[tuple[str, ...]] = set()
            for path in _files(folder):
                for question in self._questions(path, _text(path), str(folder)):
                    if question not in asked:
                        asked.add(question)
                        found |= dict.fromkeys(self._first(question))
            self._read[folder] = tuple(Path(path) for path in found if self._is_outside(path, str(folder)))
        return self._read[folder]

    def of_manifests(self, folder: Path) -> Iterator[Path]:
        """What the manifests in ``folder`` name with ``..``: what it cannot be installed without."""
        for name in sorted(filter(_MANIFEST.fullmatch, self._list(str(folder)).names)):
            for path in dict.fromkeys(_normal(str(folder), way) for way in outward(_text(folder / name))):
                if self._is_outside(path, str(folder)):
                    yield from map(Path, self._there(path))

    def say(self, folder: Path, name: str) -> bool:
        """Whether a text in ``folder`` may mean what is called ``name``, in whatever form."""
        return folder != self.top and any(
            says(_text(path), name, settings=bool(_SETTINGS.fullmatch(path.name))) for path in _files(folder)
        )

    def _questions(self, path: Path, text: str, folder: str) -> Iterator[tuple[str, ...]]:
        """What may be outside of ``folder`` of what ``text`` names: where to look, the best place first."""
        parent = str(path.parent)
        bases = (parent,) if parent == folder or _IMPORTING.fullmatch(path.name) else (parent, folder)
        for name in dict.fromkeys(outward(text)):
            places = tuple(_normal(base, name) for base in bases)
            if any(self._is_outside(place, folder) for place in places):
                yield places
        for above, name in above_file(text):
            if above < len(path.parents):
                yield (_normal(str(path.parents[above]), name),)
        around = [str(place) for place in path.parents if place.is_relative_to(self.top)]
        for name in dict.fromkeys(below(text)):
            first = name.lstrip("/").split("/", 1)[0]
            yield tuple(_normal(place, name) for place in around if first in self._list(place).names)

    def _first(self, places: Iterable[str]) -> tuple[str, ...]:
        return next(filter(None, map(self._there, places)), ())

    def _is_outside(self, path: str, folder: str) -> bool:
        return _is_in(path, str(self.top)) and not _is_in(path, folder) and "/.git/" not in f"{path}/"

    def _there(self, path: str) -> tuple[str, ...]:
        """What is there under the name ``path``, or with the ending that an import leaves out."""
        if not _is_in(path, str(self.top)):
            return ()
        parent, _, name = path.rpartition("/")
        listing = self._list(parent)
        if name in listing.names:
            return (path, parent) if _PROJECT.fullmatch(name) else (path,)
        return tuple(f"{parent}/{file}" for file in listing.stems.get(name, ()))

    def _list(self, folder: str) -> _Listing:
        if folder not in self._listed:
            self._listed[folder] = _listing(folder)
        return self._listed[folder]


def _listing(folder: str) -> _Listing:
    """What is in ``folder``; nothing where it cannot be read or cannot even be a name."""
    try:
        with os.scandir(folder) as entries:
            kinds = {entry.name: entry.is_dir() for entry in entries}
    except (OSError, ValueError):
        return _Listing()
    stems: dict[str, list[str]] = {}
    for name in sorted(name for name, is_folder in kinds.items() if not is_folder):
        parts = name.split(".")
        for count in range(1, len(parts)):
            stems.setdefault(".".join(parts[:count]), []).append(name)
    return _Listing(frozenset(kinds), stems)


def _files(folder: Path) -> Iterator[Path]:
    """The files in ``folder`` that are neither installed nor, where git tells, ignored."""
    ignored = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory", "--", ".")
    try:
        told = git(folder, *ignored, check=False).stdout.rstrip("\n").split("\0")
    except (TasklibError, OSError):
        told = []
    start = len(f"{folder}/")
    names, folders = set(told), tuple(name for name in told if name.endswith("/"))
    for path in files_in(folder):
        name = str(path)[start:]
        if name not in names and not name.startswith(folders):
            yield path


def _normal(base: str, name: str) -> str:
    # Not resolved: git tells the path of a link, not where it points.
    return os.path.normpath(f"{base}/{name.lstrip('/')}")


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _text(path: Path) -> str:
    """What ``path`` says, if it may name something and somebody wrote it."""
    if _OTHERWISE_READ.fullmatch(path.name):
        return ""
    try:
        data = path.read_bytes() if sees(path.is_file) and path.stat().st_size < _LARGE else b""
    except OSError:
        return ""
    return "" if b"\0" in data else data.decode(errors="replace")

"""Files that are saved while somebody watches: which of them are changes, and what they touch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasklib import process
from tasklib.changes.choices import Selection
from tasklib.changes.inputs import stack_facts
from tasklib.changes.outside import outside
from tasklib.changes.selection import select
from tasklib.checkout import git
from tasklib.errors import TasklibError
from tasklib.project import Project

__all__ = ["Saved", "touched_by"]

_MOST = 1000
"""Edited files that are read at the start; of more of them, the first write counts whatever it writes."""


class Saved:
    """Tells what the user changed in ``root`` from what was written: tests write files, too."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._committed = self._blobs()
        edited = self._named("ls-files", "-z", "--modified", "--others", "--exclude-standard", "--full-name")
        self._known = {path: _digest(path) for path in sorted(edited)[:_MOST]}
        self._tests = (0.0, 0.0)

    def tested(self, began: float, ended: float) -> None:
        """Tests ran in this time (seconds since the epoch): a file that is new in it is theirs."""
        self._tests = (began, ended)

    def changed(self, paths: Iterable[Path]) -> tuple[Path, ...]:
        """Those of ``paths`` that have other content, and that git does not ignore or that hold variables.

        What git does not track counts neither where tests made it nor where it came and went.
        """
        candidates = sorted(set(self._files(set(paths))))
        ignored = self._named("check-ignore", "-z", "--stdin", paths=candidates)
        tracked = self._named("ls-files", "-z", "--full-name", "--", *map(self._inside, candidates))
        found = []
        for path in candidates:
            digest, before = _digest(path), self._before(path)
            self._known[path] = digest
            if digest == before or (path in ignored and not path.name.startswith(".env")):
                continue
            if path in tracked or before is not None or not self._is_passing(path, digest):
                found.append(path)
        return tuple(found)

    def _files(self, paths: set[Path]) -> Iterator[Path]:
        """The files that ``paths`` are; of a folder that came or went as a whole nothing else is told."""
        listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name", "--")
        for path in paths - {self._root}:
            if path.is_dir():
                yield from (file for file in self._named(*listed, self._inside(path)) if file.is_file())
                continue
            yield path
            if not path.exists():
                below = f"{path}{os.sep}"
                yield from (file for file in (*self._committed, *self._known) if str(file).startswith(below))

    def _before(self, path: Path) -> str | None:
        """The digest that a file had; of one that nobody has changed yet the index knows the content."""
        known, blob = self._known.get(path), self._committed.pop(path, "")
        if known is None and blob:
            return _digest(path) if _blob(path) == blob else blob
        return known

    def _blobs(self) -> dict[Path, str]:
        """What git's index has of each file."""
        try:
            said = git(self._root, "ls-files", "-z", "--stage", "--full-name", check=False).stdout
        except TasklibError:
            return {}
        entries = (entry.partition("\t") for entry in said.split("\0") if "\t" in entry)
        return {self._root / name: facts.split()[1] for facts, _, name in entries}

    def _is_passing(self, path: Path, digest: str) -> bool:
        """Whether a new file is gone by now, or was made by tests."""
        try:
            began, ended = self._tests
            return not digest or began <= path.stat().st_ctime <= ended
        except OSError:
            return True

    def _inside(self, path: Path) -> str:
        return f":(literal){path.relative_to(self._root)}"

    def _named(self, *arguments: str, paths: Iterable[Path] = ()) -> set[Path]:
        """The paths that git names for ``arguments``."""
        try:
            stdin = "\0".join(map(str, paths))
            said = git(self._root, *arguments, stdin=stdin, check=False).stdout
        except TasklibError:
            return set()
        return {self._root / name for name in said.rstrip("\n").split("\0") if name}


def touched_by(project: Project, paths: Iterable[Path], cancel: process.Cancel) -> Selection:
    """The services whose tests the files ``paths`` (absolute) touch; as ``--changed`` would say."""
    changed = tuple(paths)
    return select(project, stack_facts(project, cancel), changed, outside(project, changed))


def _blob(path: Path) -> str:
    """What git calls the content, but for its filters: that differs from what the index has, then."""
    try:
        content = path.read_bytes()
    except OSError:
        return ""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _digest(path: Path) -> str:
    """Of the content; "" where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""

"""Files that are saved while somebody watches: which of them are changes, and what they touch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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


class Saved:
    """Tells what the user changed in ``root`` from what was written: tests write files, too."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, str] = {}
        self._tests = (0.0, 0.0)

    def tested(self, began: float, ended: float) -> None:
        """Tests ran in this time (seconds since the epoch): a file that is new in it is theirs."""
        self._tests = (began, ended)

    def changed(self, paths: Iterable[Path]) -> tuple[Path, ...]:
        """Those of ``paths`` that have other content, and that git does not ignore or that hold variables.

        What git does not track counts neither where tests made it nor where it came and went.
        """
        candidates = sorted(path for path in set(paths) if not path.is_dir())
        ignored = self._named("check-ignore", "-z", "--stdin", paths=candidates)
        tracked = self._named("ls-files", "-z", "--full-name", "--", *map(self._inside, candidates))
        found = []
        for path in candidates:
            digest, before = _digest(path), self._known.get(path)
            self._known[path] = digest
            if digest == before or (path in ignored and not path.name.startswith(".env")):
                continue
            if path in tracked or before is not None or not self._is_passing(path, digest):
                found.append(path)
        return tuple(found)

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


def _digest(path: Path) -> str:
    """Of the content; "" where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""

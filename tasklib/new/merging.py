"""What becomes of a project's files when what they were made from changes: decided file by file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from tasklib.checkout import git
from tasklib.process import CommandError

__all__ = ["Outcome", "Sides", "Words", "merged", "outcomes"]


class Sides(Struct, frozen=True):
    """One file three times, each ``None`` where it is not there: ``base`` as it was made, ``theirs`` as it
    would be made now, ``ours`` as it is in the project."""

    base: str | None
    theirs: str | None
    ours: str | None


class Outcome(Struct, frozen=True):
    """What becomes of the file ``path``: ``before`` and ``after`` differ where it is to be changed.

    ``conflicts`` is how many places of ``after`` hold both sides, marked; ``note`` says why a file stays as
    it is although its template changed.
    """

    path: str
    before: str | None
    after: str | None
    conflicts: int = 0
    note: str = ""


Words = tuple[str, str, str]
"""What the three sides of a conflict are called: ours, base, theirs."""

Merge = Callable[[str, str, str], tuple[str, int]]
"""Ours, base and theirs in one text, and the number of conflicts in it."""


def outcomes(
    base: Mapping[str, str], theirs: Mapping[str, str], ours: Mapping[str, str | None], merge: Merge
) -> Iterator[Outcome]:
    """What becomes of every file that is to be changed, or that stays for a reason worth a line.

    ``ours`` has all files of the other two that the project has; ``None`` for what is there and no text.
    """
    for path in sorted({*base, *theirs}):
        if path in ours and ours[path] is None:
            if base.get(path) != theirs.get(path):
                yield Outcome(path, None, None, note="it is not a text file, and stays as it is")
            continue
        found = _outcome(path, Sides(base.get(path), theirs.get(path), ours.get(path)), merge)
        if found:
            yield found


def _outcome(path: str, sides: Sides, merge: Merge) -> Outcome | None:
    base, theirs, ours = sides.base, sides.theirs, sides.ours
    if theirs in (base, ours):
        return None
    if ours == base:
        return Outcome(path, ours, theirs)
    if ours is None:
        return Outcome(
            path, None, None, note="its template changed; you removed the file, and it stays removed"
        )
    if theirs is None:
        return Outcome(path, ours, ours, note="it has no template any more; it stays, since you changed it")
    if base is None:
        return Outcome(path, ours, ours, note="there is a new template for it; the file that is there stays")
    text, conflicts = merge(ours, base, theirs)
    return Outcome(path, ours, text, conflicts) if text != ours else None


def merged(ours: str, base: str, theirs: str, words: Words) -> tuple[str, int]:
    """Both changes in one text, and the number of places where that cannot be: there both stand, marked.

    Raises :class:`~tasklib.process.CommandError` where git cannot merge them.
    """
    with tempfile.TemporaryDirectory(prefix="tasklib-new-") as folder:
        names = ("ours", "base", "theirs")
        for name, text in zip(names, (ours, base, theirs), strict=True):
            Path(folder, name).write_bytes(text.encode("utf-8", "surrogateescape"))
        labels = [word for label in words for word in ("-L", label)]
        done = git(Path(folder), "merge-file", "--diff3", *labels, *names, check=False)
        if done.code > 127:  # fewer are conflicts
            raise CommandError(done)
        return Path(folder, "ours").read_bytes().decode("utf-8", "surrogateescape"), done.code

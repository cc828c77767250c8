"""A project that `new.project` made: where it is, what it was made from, and changing its files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from tasklib.checkout import find_checkout, git
from tasklib.errors import ConfigError, UsageError
from tasklib.files.whole import write_whole
from tasklib.new.answers import ANSWERS, Answers, read_answers
from tasklib.new.merging import Outcome

__all__ = ["Made", "apply", "find_made"]


class Made(Struct, frozen=True):
    """The project at ``root`` (absolute), and the ``answers`` it was made from."""

    root: Path
    answers: Answers

    def texts(self, paths: Iterable[str]) -> dict[str, str | None]:
        """The text of each of ``paths`` that is there; ``None`` for what is no text file."""
        found: dict[str, str | None] = {}
        for name in paths:
            path = self.root / name
            if path.is_symlink() or path.exists():
                found[name] = _text(path)
        return found


def find_made(start: Path) -> Made:
    """The project around the folder ``start``. Raises :class:`~tasklib.errors.ConfigError` for any other."""
    top = find_checkout(start).root
    for folder in (start, *start.parents):
        path = folder / ANSWERS
        if path.is_file():
            return Made(folder, read_answers(path.read_bytes(), str(path)))
        if folder == top:
            break
    raise ConfigError(
        f"no project that new.project made: there is no {ANSWERS} here or above",
        where=str(start),
        remedy="In another project, a folder services/<name> laid out as the README shows is a service.",
    )


def apply(made: Made, found: Sequence[Outcome]) -> None:
    """Change the files of the project.

    Raises :class:`~tasklib.errors.UsageError`, and changes nothing, where both sides changed the same place
    of a file that git does not have as it is.
    """
    changed = [outcome for outcome in found if outcome.before != outcome.after]
    unsaved = _unsaved(made.root, [outcome.path for outcome in changed if outcome.conflicts])
    if unsaved:
        raise UsageError(
            f"you and the template changed the same lines, and not all is committed: {', '.join(unsaved)}",
            remedy="Commit first: then `git diff` shows what the update did, and it can be undone.",
        )
    for outcome in changed:
        path = made.root / outcome.path
        if outcome.after is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, outcome.after.encode("utf-8", "surrogateescape"))


def _unsaved(root: Path, paths: Sequence[str]) -> list[str]:
    """Which of the files git does not hold as they are."""
    if not paths:
        return []
    if find_checkout(root).git_dir is None:
        return list(paths)
    asked = git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--ignored", "--", *paths)
    told = asked.stdout.strip("\n").split("\0")
    dirty = {entry[3:] for entry in told if entry}
    prefix = git(root, "rev-parse", "--show-prefix").stdout.strip("\n")
    return [path for path in paths if f"{prefix}{path}" in dirty]


def _text(path: Path) -> str | None:
    if path.is_symlink() or not path.is_file():
        return None
    content = path.read_bytes()
    return None if b"\0" in content else content.decode("utf-8", "surrogateescape")

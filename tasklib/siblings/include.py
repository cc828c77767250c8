"""``.worktreeinclude``: files that git ignores and that a new worktree gets from the main one.

As other worktree tools read it: patterns in gitignore's syntax, and of the files that match only those that
git ignores; what is tracked comes from git. Links are neither copied nor followed, nothing is overwritten.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from tasklib.checkout import Checkout, find_checkout, git
from tasklib.errors import TasklibError
from tasklib.siblings.others import main_worktree

__all__ = ["bring_included"]

_LIST = ".worktreeinclude"
_DONE = "tasklib-included"
"""In the worktree's own git directory, once it has got what it gets."""

_NAMED = 3
"""How many files the line names."""


def bring_included(folder: Path, *, dry: bool = False) -> str:
    """Bring the worktree around ``folder`` what is listed, the first time; with ``dry`` nothing is brought.

    Returns the line that says so, "" where nothing comes.
    """
    checkout = find_checkout(folder)
    main = main_worktree(checkout)
    if main is None or checkout.git_dir is None or (checkout.git_dir / _DONE).exists():
        return ""
    lists = [path for root in (checkout.root, main) if _is_file(path := root / _LIST)]
    if not lists:
        return ""
    try:
        names = _listed(main, lists[0])
        came = [name for name in names if dry or _copy(main, checkout, name)]
        if not dry:
            (checkout.git_dir / _DONE).touch()
    except (TasklibError, OSError) as error:
        what = error.what if isinstance(error, TasklibError) else str(error)
        return f"what {_LIST} lists cannot be brought from {main}: {what}"
    if not came:
        return ""
    return f"{'would bring' if dry else 'brought'} {_summary(came)} from {main}, as {_LIST} says"


def _listed(main: Path, patterns: Path) -> list[str]:
    """The files of the main working tree that match and that git ignores."""
    matching = ("ls-files", "-z", "--others", "--ignored", f"--exclude-from={patterns}")
    names = [name for name in _names(git(main, *matching).stdout) if not name.endswith("/")]
    if not names:
        return []
    ignored = git(main, "check-ignore", "-z", "--stdin", stdin="\0".join(names), check=False).stdout
    return [name for name in _names(ignored) if "\ufffd" not in name]


def _names(said: str) -> list[str]:
    return [name for name in said.rstrip("\n").split("\0") if name]


def _copy(main: Path, checkout: Checkout, name: str) -> bool:
    """Whether the file came: not what is there already, nor what a link leads to."""
    source, target = main / name, checkout.root / name
    if os.path.lexists(target) or not _is_file(source) or source.resolve() != main.resolve() / name:
        return False
    nearest = next(folder for folder in target.parents if os.path.lexists(folder))
    if not nearest.is_dir() or nearest.resolve() != nearest:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    # Under a name of its own first: nobody sees half of it, and what someone else puts there stays.
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        shutil.copy2(source, temporary, follow_symlinks=False)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, target)
            return True
        return False
    finally:
        temporary.unlink(missing_ok=True)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _summary(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = len(ordered) - _NAMED
    return ", ".join(ordered[:_NAMED]) + (f" and {more} more" if more > 0 else "")

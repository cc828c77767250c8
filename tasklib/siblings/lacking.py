"""A file that is missing here and that another checkout of the repository has: where, and what brings it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tasklib.checkout import find_checkout, git
from tasklib.errors import TasklibError
from tasklib.siblings.others import other_checkouts
from tasklib.state.store import default_state

__all__ = ["brings", "found_elsewhere", "from_here", "missed", "missing_paths"]

_TOLD = 3
"""How many files that tests missed are looked for in other checkouts."""

_MISSING = re.compile(r"[Nn]o such file or directory[^'\"\n]*['\"]([^'\"\n]+)['\"]")
"""As Python and Node say it."""


def found_elsewhere(path: Path) -> Path | None:
    """Where another checkout has the file (or folder) that is missing at ``path``.

    Only what git does not track there, since anything else is a matter of branches; and no link.
    """
    if os.path.lexists(path):
        return None
    checkout = find_checkout(_existing(path))
    real = _existing(path).resolve() / path.relative_to(_existing(path))
    if checkout.git_dir is None or not real.is_relative_to(checkout.root):
        return None
    inside = real.relative_to(checkout.root)
    for other in other_checkouts(checkout, default_state()):
        there = other / inside
        if there.exists() and there.resolve() == other.resolve() / inside and not _is_tracked(other, inside):
            return there
    return None


def brings(there: Path, path: Path) -> str:
    """What to do about a file that is missing at ``path`` and that another checkout has at ``there``."""
    words = shlex.join(["cp", "-Rp" if there.is_dir() else "-p", "--", str(there), from_here(path)])
    return f"Another checkout has it: `{words}`"


def from_here(path: Path) -> str:
    """``path`` as it is called in the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def missed(texts: Iterable[str], folder: Path) -> Iterator[str]:
    """A line for each of the first files that tests missed and another checkout has, as in a new worktree."""
    for path in islice(missing_paths(texts, folder), _TOLD):
        if there := found_elsewhere(path):
            yield f"{from_here(path)} is not there. {brings(there, path)}"


def missing_paths(texts: Iterable[str], folder: Path) -> Iterator[Path]:
    """The files that failures say are not there, as seen from ``folder``."""
    found = (folder / match[1] for text in texts for match in _MISSING.finditer(text))
    yield from dict.fromkeys(path for path in found if not os.path.lexists(path))


def _existing(path: Path) -> Path:
    return next(folder for folder in path.parents if folder.is_dir())


def _is_tracked(root: Path, path: Path) -> bool:
    try:
        return bool(git(root, "ls-files", "-z", "--", f":(literal){path}", check=False).stdout)
    except TasklibError:
        return True

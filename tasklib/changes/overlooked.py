"""Looking at what git was told to overlook: ``update-index --assume-unchanged`` and ``--skip-worktree``.

Such files may have changed, and images are built from them all the same.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from tasklib import process
from tasklib.checkout import Checkout, git

__all__ = ["copy_index", "forget_overlooked", "seeing_all"]

_NO_ASSUMING, _NO_SKIPPING = "--no-assume-unchanged", "--no-skip-worktree"


@contextlib.contextmanager
def seeing_all(checkout: Checkout) -> Iterator[Mapping[str, str]]:
    """Variables with which git looks at every tracked file of ``checkout``; none where it does so anyway."""
    if not _overlooked(checkout, {}):
        yield {}
        return
    with process.scratch_folder() as scratch:
        env = {"GIT_INDEX_FILE": str(scratch / "index")}
        copy_index(checkout, scratch / "index")
        forget_overlooked(checkout, env)
        yield env


def copy_index(checkout: Checkout, to: Path) -> None:
    """Copy the repository's own index, which spares reading every file: it knows their times and sizes."""
    own = checkout.git_dir / "index" if checkout.git_dir else None
    if own and own.is_file():
        shutil.copyfile(own, to)
        os.utime(to, ns=(own.stat().st_atime_ns, own.stat().st_mtime_ns))


def forget_overlooked(checkout: Checkout, env: Mapping[str, str]) -> None:
    """Make the index that ``env`` names forget what it was told to overlook."""
    for flag, names in _overlooked(checkout, env).items():
        git(checkout.root, "update-index", flag, "--stdin", stdin="\n".join(names), env=env)


def _overlooked(checkout: Checkout, env: Mapping[str, str]) -> dict[str, list[str]]:
    """The files by the flag that ends it. What a sparse checkout leaves out is not there, and none.

    They are quoted as git does it and takes it back: names need not be UTF-8.
    """
    quoting = ("-c", "core.quotePath=true")
    listed = git(checkout.root, *quoting, "ls-files", "-v", env=env).stdout.splitlines()
    found = {
        _NO_ASSUMING: [entry[2:] for entry in listed if entry[:1].islower()],
        _NO_SKIPPING: [
            entry[2:]
            for entry in listed
            if entry[:1] in ("S", "s") and (checkout.root / _unquoted(entry[2:])).exists()
        ],
    }
    return {flag: names for flag, names in found.items() if names}


def _unquoted(name: str) -> str:
    r"""A name as the system has it.

    >>> _unquoted("a b"), _unquoted(r'"a\tb\""')
    ('a b', 'a\tb"')
    """
    if not name.startswith('"'):
        return name
    return os.fsdecode(name[1:-1].encode().decode("unicode_escape").encode("latin-1"))

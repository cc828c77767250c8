"""The exact content of a checkout as one name: git's own for the tree that committing everything would make.

Untracked files count, ignored ones do not. What is hashed goes to an object store of ours, so that the
repository is not touched and two trees can be compared later.
"""

from __future__ import annotations

from pathlib import Path

from tasklib import process
from tasklib.changes.overlooked import copy_index, forget_overlooked
from tasklib.checkout import Checkout, find_checkout, git
from tasklib.errors import TasklibError, UsageError

__all__ = ["differing", "tree_of"]


def tree_of(checkout: Checkout, store: Path) -> str:
    """The name of the tree that ``checkout`` holds now; its new objects go to the folder ``store``.

    Submodules count with their own trees. Raises :class:`~tasklib.errors.UsageError` outside git, and
    :class:`~tasklib.errors.TasklibError` where git refuses.
    """
    if checkout.git_dir is None:
        raise UsageError("only a git checkout can tell what was tested", where=str(checkout.root))
    with process.scratch_folder() as scratch:
        index = scratch / "index"
        copy_index(checkout, index)
        env = _apart(checkout, store, index)
        forget_overlooked(checkout, env)
        git(checkout.root, "add", "--all", "--", ".", env=env)
        tree = git(checkout.root, "write-tree", env=env).stdout.strip()
    inner = [tree_of(module, store) for module in _submodules(checkout)]
    return "+".join([tree, *inner])


def differing(checkout: Checkout, store: Path, before: str, after: str) -> tuple[Path, ...] | None:
    """The files (absolute) that differ between two trees; ``None`` where the store lacks one of them."""
    if before == after:
        return ()
    if "+" in before or "+" in after:
        return None  # which submodule it was is not kept
    env = _apart(checkout, store, store / "none")
    try:
        found = git(checkout.root, "diff-tree", "-r", "-z", "--name-only", before, after, "--", env=env)
    except TasklibError:
        return None
    return tuple(checkout.root / name for name in found.stdout.split("\0") if name.strip("\n"))


def _apart(checkout: Checkout, store: Path, index: Path) -> dict[str, str]:
    """The environment in which git writes to ``store`` and ``index`` and reads the repository's objects."""
    objects = git(checkout.root, "rev-parse", "--git-path", "objects").stdout.strip()
    (store / "info").mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "GIT_INDEX_FILE": str(index),
        "GIT_OBJECT_DIRECTORY": str(store),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(checkout.root / objects),
    }


def _submodules(checkout: Checkout) -> list[Checkout]:
    if not (checkout.root / ".gitmodules").is_file():
        return []
    listed = git(checkout.root, "ls-files", "--stage", "-z").stdout
    paths = [entry.partition("\t")[2] for entry in listed.split("\0") if entry.startswith("160000 ")]
    present = (checkout.root / path for path in paths if (checkout.root / path / ".git").exists())
    found = [find_checkout(path) for path in present]
    return [module for module in found if module.root != checkout.root]

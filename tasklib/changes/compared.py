"""Which files of a checkout differ from where its branch left another one: git's answer, nothing left out."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from tasklib.changes.overlooked import seeing_all
from tasklib.checkout import Checkout, find_checkout, git, remote_name
from tasklib.errors import UsageError

__all__ = ["changed_files", "other_checkouts"]


def changed_files(checkout: Checkout, base: str) -> tuple[Path, ...]:
    """The files (absolute, sorted) that differ from where this branch left ``base``, untracked ones included.

    ``base`` is a branch or a commit; a branch that exists only on a remote is found there. On ``base`` itself
    it is what is not pushed yet. A submodule that moved or holds changes is one path, and whatever git is set
    or told to overlook is seen. Raises :class:`~tasklib.errors.UsageError` when there is no such commit, no
    common history, or git refuses.
    """
    root = checkout.root
    if checkout.git_dir is None:
        raise UsageError("--changed needs a git checkout", where=str(root), remedy="Leave --changed out.")
    untracked = ["ls-files", "--others", "--exclude-standard", "-z"]
    if checkout.unborn:
        return _paths(root, git(root, *untracked, "--cached").stdout)
    start = _fork_point(root, _pushed(root, base) if base == checkout.branch else base)
    how = ("--name-only", "--no-renames", "--no-ext-diff", "--no-relative", "--ignore-submodules=none", "-z")
    with seeing_all(checkout) as env:
        differing = git(root, "diff", *how, start, "--", env=env).stdout
    return _paths(root, f"{differing.rstrip(chr(10))}{git(root, *untracked).stdout}")


def other_checkouts(changed: Iterable[Path]) -> frozenset[Path]:
    """Those of ``changed`` that are linked worktrees, as agents make them below the checkout: git tells of an
    untracked folder. Unless an image or a stack holds it, nothing here is made from it."""
    return frozenset(path for path in changed if _is_worktree(path))


def _is_worktree(path: Path) -> bool:
    # A folder in a worktree (a submodule that is not there yet) is none.
    if path.is_symlink() or not (path / ".git").is_file():
        return False
    found = find_checkout(path)
    return found.worktree is not None and found.root == path.resolve()


def _pushed(root: Path, branch: str) -> str:
    """The remote's side of ``branch``, as last seen; ``branch`` itself where it has none."""
    for name in (f"{branch}@{{upstream}}", f"refs/remotes/{remote_name(root)}/{branch}"):
        found = git(
            root, "rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}", check=False
        )
        if found.code == 0:
            return found.stdout.strip()
    return branch


def _fork_point(root: Path, base: str) -> str:
    remote = remote_name(root)
    for name in (base, f"refs/remotes/{remote}/{base}"):
        found = git(
            root, "rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}", check=False
        )
        if "dubious ownership" in found.stderr:
            raise UsageError(
                "git refuses this checkout, which belongs to another user",
                where=str(root),
                remedy=f"`git config --global --add safe.directory {shlex.quote(str(root))}`",
            )
        if found.code == 0:
            commit = found.stdout.strip()
            common = git(root, "merge-base", commit, "HEAD", check=False)
            if common.code == 0:
                return common.stdout.split()[0]
            raise UsageError(
                f"{base} and HEAD have no common history here",
                where=str(root),
                remedy="A shallow clone lacks it: `git fetch --unshallow`.",
            )
    raise UsageError(
        f"there is no branch or commit {base} to compare with",
        where=str(root),
        remedy=f"`{shlex.join(['git', 'fetch', remote, base])}`, or set base-branch in [tool.tasklib].",
    )


def _paths(root: Path, names: str) -> tuple[Path, ...]:
    return tuple(sorted({root / name for name in names.rstrip("\n").split("\0") if name}))

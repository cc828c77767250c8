"""Which other checkouts of a repository are on this machine: its worktrees, and clones that were seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tasklib.checkout import Checkout, find_checkout, git
from tasklib.errors import TasklibError
from tasklib.state.liveness import host_id
from tasklib.state.records import Checkouts
from tasklib.state.store import State

__all__ = ["main_worktree", "other_checkouts"]


def main_worktree(checkout: Checkout) -> Path | None:
    """The working tree that the linked worktree ``checkout`` was added to; ``None`` for any other."""
    if checkout.git_dir is None or checkout.git_dir.parent.name != "worktrees":
        return None
    try:
        common = (checkout.git_dir / (checkout.git_dir / "commondir").read_text().strip()).resolve()
    except (OSError, UnicodeDecodeError):
        return None
    main = common.parent
    return main if common.name == ".git" and main != checkout.root else None


def other_checkouts(checkout: Checkout, state: State) -> Iterator[Path]:
    """The top folders of others of the same repository: its worktrees, the main one first, then clones.

    Of clones those are known that had something up on this machine.
    """
    if checkout.git_dir is None:
        return
    found = {checkout.root}
    for root in (*_worktrees(checkout.root), *_clones(checkout.root, state)):
        if root not in found and root.is_dir():
            found.add(root)
            yield root


def _worktrees(root: Path) -> Iterator[Path]:
    for line in _said(root, "worktree", "list", "--porcelain").splitlines():
        if line.startswith("worktree "):
            yield Path(line.removeprefix("worktree "))


def _clones(root: Path, state: State) -> Iterator[Path]:
    origin = _origin(root)
    for seen in sorted(seen.root for seen in Checkouts(state, host_id()).all()):
        folder = Path(seen)
        if folder.is_dir() and not folder.is_relative_to(root):
            other = find_checkout(folder)
            theirs = _origin(other.root) if other.git_dir else ""
            if other.git_dir and (
                str(other.root) == origin or theirs == str(root) or (origin and theirs == origin)
            ):
                yield from (other.root, *_worktrees(other.root))


def _origin(root: Path) -> str:
    return _said(root, "config", "--get", "remote.origin.url").strip()


def _said(root: Path, *arguments: str) -> str:
    try:
        return git(root, *arguments, check=False).stdout
    except TasklibError:
        return ""

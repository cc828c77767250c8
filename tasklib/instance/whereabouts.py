"""Where checkouts are: noted whenever one is used, and found again where a worktree was moved since."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tasklib.checkout import Checkout, find_checkout, moved_to
from tasklib.errors import TasklibError
from tasklib.instance.claims import Claims
from tasklib.instance.identity import known_id
from tasklib.state.liveness import host_id
from tasklib.state.records import Checkouts, Seen
from tasklib.state.store import State

__all__ = ["note", "note_move", "whereabouts", "why_gone"]


def note(state: State, checkout: Checkout, mine: str, folder: Path) -> None:
    """The project in ``folder`` of ``checkout``, whose id is ``mine``, is used."""
    git_dir = str(checkout.git_dir or "")
    below = str(folder.resolve().relative_to(checkout.root)) if git_dir else ""
    Checkouts(state, host_id()).seen(mine, str(folder), git_dir=git_dir, below=below)


def note_move(state: State, engine: str, folder: Path) -> None:
    """Where the project in ``folder`` has anything on ``engine``, that is where it is now."""
    with contextlib.suppress(TasklibError):
        mine = known_id(folder)
        if mine is not None and Checkouts(state, host_id()).get(mine):
            note(state, find_checkout(folder), mine, folder)
            Claims(state, engine).moved(mine, folder)


def whereabouts(seen: Seen) -> str:
    """The folder of a project: where it was seen, or where git knows its worktree to be now."""
    if seen.git_dir and why_gone(seen.checkout, seen.root):
        top = moved_to(Path(seen.git_dir))
        if top and not why_gone(seen.checkout, found := str(top / seen.below)):
            return found
    return seen.root


def why_gone(checkout: str, folder: str) -> str:
    """Why the checkout that was in ``folder`` counts as gone; empty: it does not."""
    if not Path(folder).is_dir():
        return f"{folder} is gone"
    try:
        return "" if known_id(Path(folder)) == checkout else f"{folder} is another checkout now"
    except TasklibError:
        return ""  # it cannot be read: unknown is alive

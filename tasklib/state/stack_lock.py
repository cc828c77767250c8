"""One stack, one user at a time.

A run sends the lock's open file to its reaper, so that a run that is killed leaves its stacks locked until
the reaper has removed them: nobody can start on top of what is being taken down.
"""

from __future__ import annotations

from tasklib.files.lock import Lock, User
from tasklib.state.store import State

__all__ = ["StackLock"]


class StackLock(Lock):
    """The lock of one Compose project on one engine."""

    def __init__(self, state: State, engine: str, project: str, user: User | None = None) -> None:
        name = State.name("stack", engine, project).replace("/", "~")
        super().__init__(state.root / "locks" / f"{name}.lock", user)

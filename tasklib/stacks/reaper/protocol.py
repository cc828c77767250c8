"""What a run had when it was last heard of.

Plain classes: msgspec takes longer to import than all else that the reaper's process needs while it waits.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Left", "LeftStack"]


class LeftStack:
    """A stack of the run: what it carries, its lock's open file and path, and whether it was up already."""

    def __init__(
        self, labels: Mapping[str, str], lock: int | None = None, path: str = "", ready: bool = False
    ) -> None:
        self.labels = labels
        self.lock = lock
        self.path = path
        self.ready = ready


class Left:
    """Everything of the run that goes when it is gone."""

    def __init__(
        self,
        run: str = "",
        engine: str = "",
        state: str = "",
        command: str = "",
        pid: int = 0,
        stacks: Mapping[str, LeftStack] | None = None,
    ) -> None:
        self.run = run
        self.engine = engine
        self.state = state
        self.command = command
        self.pid = pid
        self.stacks = dict(stacks or {})
        self.children: dict[int, str | None] = {}
        """Process groups by their leaders' pids, with the leaders' start times."""
        self.folders: set[str] = set()
        self.alive = False
        """Whether the run ended by itself: its process and the children of its next run may live on."""

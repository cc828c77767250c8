"""What a run had when it was last heard of."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

__all__ = ["Left", "LeftStack"]


class LeftStack(Struct):
    """A stack of the run: what it carries, its lock's open file and path, and whether it was up already."""

    labels: Mapping[str, str]
    lock: int | None = None
    path: str = ""
    ready: bool = False


class Left(Struct):
    """Everything of the run that goes when it is gone."""

    run: str = ""
    engine: str = ""
    state: str = ""
    command: str = ""
    pid: int = 0
    stacks: dict[str, LeftStack] = field(default_factory=dict)
    children: dict[int, str | None] = field(default_factory=dict)
    """Process groups by their leaders' pids, with the leaders' start times."""
    folders: set[str] = field(default_factory=set)
    alive: bool = False
    """Whether the run ended by itself: its process and the children of its next run may live on."""

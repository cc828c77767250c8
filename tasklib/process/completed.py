"""What a command came to, and the errors it can end with."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tasklib.errors import TasklibError

__all__ = ["CommandError", "Completed", "TimedOut"]


class Completed(Struct, frozen=True):
    """What a finished command left: its exit code and both streams."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


class CommandError(TasklibError):
    """A command could not be started or exited with another code than 0."""

    def __init__(self, completed: Completed, *, remedy: str | None = None) -> None:
        tail = (completed.stderr or completed.stdout).strip().splitlines()
        reason = tail[-1] if tail else f"exit code {completed.code}"
        super().__init__(f"`{' '.join(completed.argv[:4])}` failed: {reason}", remedy=remedy)
        self.completed = completed


class TimedOut(TasklibError):
    """A command outlived its deadline and was ended."""

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        super().__init__(f"`{' '.join(list(argv)[:4])}` took more than {seconds:g} s and was ended")
        self.argv = tuple(argv)
        self.seconds = seconds

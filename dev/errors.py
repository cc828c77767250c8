"""What stops the tool: each error is one message with its remedy, and carries the exit code."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CommandFailed", "DevError", "NoEngine", "UsageError"]


class DevError(Exception):
    """The set-up cannot go on; the text says why and what to do."""

    code = 2


class UsageError(DevError):
    """The command line is wrong."""


class NoEngine(DevError):
    """There is no usable engine (or no images for it), and this run may not or cannot provide it."""

    code = 3


class CommandFailed(DevError):
    """A command ended with another code than 0; its output is in `log`."""

    def __init__(self, argv: tuple[str, ...], returncode: int, log: Path, tail: tuple[str, ...]) -> None:
        self.argv = argv
        self.returncode = returncode
        self.log = log
        self.tail = tail
        lines = "".join(f"\n  {line}" for line in tail)
        super().__init__(f"{argv[0]} exited {returncode}; the end of {log}:{lines}")

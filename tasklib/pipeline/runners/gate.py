"""What a test process waits at while its stack comes up."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tasklib import process

__all__ = ["Gate", "gate"]


class Gate:
    """A locked file: whoever waits for its lock may begin once it is open, and stops if it closes unopened.

    The lock ends with us, so that nobody waits for the dead. ``opened`` is when it was opened
    (``time.monotonic()``), ``None`` before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: float | None = None
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def open(self, variables: Mapping[str, str]) -> None:
        """Let it begin, with ``variables`` added to its environment."""
        with os.fdopen(os.dup(self._file), "w") as file:
            json.dump(dict(variables), file)
        self.opened = time.monotonic()
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)


@contextmanager
def gate() -> Iterator[Gate]:
    """A closed gate, which is gone at the end."""
    with process.scratch_folder() as folder:
        made = Gate(folder / "gate")
        try:
            yield made
        finally:
            made.close()

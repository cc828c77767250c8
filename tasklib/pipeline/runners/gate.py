"""What a test process waits at while its stack comes up."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from tasklib.flock import open_lock, unlock, wait_for_lock

__all__ = ["Gate"]


class Gate:
    """A locked file: whoever waits for its lock may begin once it is open, and leaves if it closes unopened.

    The lock ends with us, so that nobody waits for the dead. ``opened`` is when it was opened
    (``time.monotonic()``), ``None`` before.
    """

    def __init__(self, folder: Path) -> None:
        """A closed one in ``folder``. Raises ``OSError`` where there is no room or files cannot be locked."""
        self.path = folder / "gate"
        self.opened: float | None = None
        self._held: int | None = open_lock(self.path)
        try:
            wait_for_lock(self._held)
        except OSError:
            self.close()
            raise

    def open(self, variables: Mapping[str, str]) -> None:
        """Let it begin, with ``variables`` added to its environment.

        Raises ``OSError`` where they cannot be written: nobody begins then.
        """
        try:
            self.path.write_text(json.dumps(dict(variables)), encoding="ascii")
        except OSError:
            os.truncate(self.path, 0)
            raise
        self.opened = time.monotonic()
        self.close()

    def close(self) -> None:
        # Not by closing the file alone: a child that is just being started has it open too.
        if self._held is not None:
            unlock(self._held)
            self._held = None

"""The files that hold everything of a run in full."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tasklib.commands.console import complain
from tasklib.errors import ConfigError

__all__ = ["new_log"]

_KEPT = 20


def new_log(project: str) -> Path | None:
    """A new file for everything in full, ``None`` on a full disk; the oldest beyond twenty are removed."""
    from tasklib.files.full import is_full, unless_full
    from tasklib.state.store import default_state

    try:
        folder = default_state().made("logs")
    except ConfigError as error:
        if not is_full(error.__cause__):
            raise
        complain(f"warning: no full log: {error.what}")
        return None
    for old in sorted(folder.glob("*.log"))[: 1 - _KEPT or None]:
        with unless_full():
            old.unlink(missing_ok=True)
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in project)[:40]
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{name}.log"

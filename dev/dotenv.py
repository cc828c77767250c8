"""Writes the chosen stand-ins beside example-project's Compose files, so that plain commands use them too."""

from __future__ import annotations

import os
from pathlib import Path

from dev.images import MARK

__all__ = ["write_dotenvs"]

_SKIPPED = {"node_modules", ".venv", ".git", ".nox"}


def write_dotenvs(root: Path, text: str | None) -> None:
    """Make every `.env` beside a docker-compose.yml below `root` say `text`, or be gone when `text` is None.

    A `.env` whose first line is not this tool's mark belongs to the user and stays as it is.
    """
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        if "docker-compose.yml" in files:
            _write(Path(folder) / ".env", text)


def _write(path: Path, text: str | None) -> None:
    try:
        found = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        found = None
    except OSError:
        return
    ours = found is not None and found.partition("\n")[0] == MARK
    if found == text or (found is not None and not ours):
        return
    if text is None:
        path.unlink(missing_ok=True)
        return
    temporary = path.with_name(f".env.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)

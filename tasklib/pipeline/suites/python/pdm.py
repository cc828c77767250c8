"""PURE: what PDM's own tables say, as pip takes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tasklib.pipeline.suites.folders import table

__all__ = ["groups"]


def groups(data: Mapping[str, Any], folder: Path) -> Mapping[str, tuple[str, ...]]:
    """The groups of ``[tool.pdm.dev-dependencies]`` in the pyproject.toml of ``folder``."""
    listed = table(table(table(data, "tool"), "pdm"), "dev-dependencies")
    return {
        name: tuple(_requirement(entry, folder) for entry in entries if isinstance(entry, str))
        for name, entries in listed.items()
        if isinstance(entries, list)
    }


def _requirement(entry: str, folder: Path) -> str:
    entry = entry.replace("${PROJECT_ROOT}", folder.as_posix())
    where = entry.removeprefix("-e").strip()
    if where == entry or not where.startswith("file://"):
        return entry
    path = unquote(where.removeprefix("file://").partition("#")[0])
    # It writes a path below the root as `file:///${PROJECT_ROOT}/…`, with one slash more than the path has.
    return f"-e {path[1:] if path.startswith('//') else path}"

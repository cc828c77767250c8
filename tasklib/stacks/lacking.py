"""Files of this machine that a stack is given and that are not there, as in a new worktree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasklib.errors import ConfigError
from tasklib.project.places import way_to
from tasklib.siblings.lacking import found_elsewhere, from_here

__all__ = ["refuse_lacking"]


def refuse_lacking(rendered: Mapping[str, Any], where: Path) -> None:
    """Raise :class:`~tasklib.errors.ConfigError` for a file that a rendered config needs, and is not there.

    For what is mounted the engine makes a folder where nothing is. That may be meant, so that it is refused
    only where another checkout of the repository has a file there, or something to be read.
    """
    for what, path in _files(rendered):
        if not os.path.lexists(path):
            raise _missing(what, path, where)
    for what, path, read_only in _mounts(rendered):
        if not os.path.lexists(path):
            there = found_elsewhere(path)
            if there and (there.is_file() or (read_only and any(there.iterdir()))):
                raise _missing(what, path, where)


def _missing(what: str, path: Path, where: Path) -> ConfigError:
    return ConfigError(
        f"{what} is {from_here(path)}, which is not there", where=str(where), remedy=way_to(path)
    )


def _files(rendered: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for section in ("secrets", "configs"):
        for name, part in (rendered.get(section) or {}).items():
            if part and "file" in part:
                yield f"the {section[:-1]} {name}", _plain(part["file"])


def _mounts(rendered: Mapping[str, Any]) -> Iterator[tuple[str, Path, bool]]:
    for name, service in rendered["services"].items():
        for mount in service.get("volumes") or ():
            if mount.get("type") == "bind" and mount.get("source"):
                what = f"what {name} has mounted at {mount.get('target')}"
                yield what, _plain(mount["source"]), bool(mount.get("read_only"))


def _plain(value: object) -> Path:
    return Path(str(value).replace("$$", "$"))

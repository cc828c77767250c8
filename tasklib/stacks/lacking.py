"""Files of this machine that a stack is given and that are not there, as in a new worktree."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasklib.errors import ConfigError
from tasklib.project.places import way_to
from tasklib.siblings.lacking import found_elsewhere, from_here
from tasklib.stacks.dollars import plain

__all__ = ["refuse_lacking"]


def refuse_lacking(rendered: Mapping[str, Any], where: Path, root: Path) -> None:
    """Raise :class:`~tasklib.errors.ConfigError` for a file that a rendered config needs, and is not there.

    For what is mounted the engine makes a folder where nothing is. That may be meant, so that it is refused
    only where another checkout of the repository has a file there, or something to be read. For a volume that
    is a folder it makes none: ``root`` is the checkout, as what lies elsewhere may be on its own machine.
    """
    for what, path in _bound(rendered):
        if path.is_relative_to(root) and not os.path.lexists(path):
            raise _missing(what, path, where, f"`mkdir -p {shlex.quote(from_here(path))}`")
    for what, path in _files(rendered):
        if not os.path.lexists(path):
            raise _missing(what, path, where)
    for what, path, read_only in _mounts(rendered):
        if not os.path.lexists(path):
            there = found_elsewhere(path)
            if there and (there.is_file() or (read_only and any(there.iterdir()))):
                raise _missing(what, path, where)


def _missing(what: str, path: Path, where: Path, otherwise: str | None = None) -> ConfigError:
    return ConfigError(
        f"{what} is {from_here(path)}, which is not there",
        where=str(where),
        remedy=way_to(path) or otherwise,
    )


def _bound(rendered: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for name, volume in (rendered.get("volumes") or {}).items():
        options = (volume or {}).get("driver_opts") or {}
        device, words = str(options.get("device") or ""), str(options.get("o") or "").split(",")
        if device.startswith("/") and {"bind", "rbind"} & {*words, str(options.get("type"))}:
            yield f"the volume {name}", _plain(device)


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
    return Path(plain(value))

"""What the files hold that a stack's definition puts into a container: secrets, configs, mounted files."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasklib.stacks.dollars import plain

__all__ = ["dockerfiles", "mounted_texts", "text_in", "with_included"]

_ROOTS = {"secrets": "/run/secrets/", "configs": "/"}


def text_in(
    config: Mapping[str, Any], service: str, path: str, variables: Mapping[str, str] | None = None
) -> str | None:
    """What the file at ``path`` inside a service's container holds; ``None`` where nothing says.

    ``config`` is a rendered config, ``variables`` (``os.environ``) give the values that it takes from there.
    """
    given = os.environ if variables is None else variables
    definition = config["services"].get(service) or {}
    for target, read in (*_parts(config, definition, given), *_mounted(definition, path)):
        if posixpath.normpath(target) == posixpath.normpath(path):
            return read()
    return None


def _parts(
    config: Mapping[str, Any], definition: Mapping[str, Any], variables: Mapping[str, str]
) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Where each secret and config of a service is, and what reads it."""
    for section, root in _ROOTS.items():
        for entry in definition.get(section) or ():
            used = entry if isinstance(entry, Mapping) else {"source": entry}
            part = (config.get(section) or {}).get(used.get("source")) or {}
            yield (
                posixpath.join(root, str(used.get("target") or used.get("source"))),
                lambda part=part: _text(part, variables),  # type: ignore[misc]
            )


def _text(part: Mapping[str, Any], variables: Mapping[str, str]) -> str | None:
    if "content" in part:
        return plain(part["content"])
    if "environment" in part:
        return variables.get(str(part["environment"]))
    return _read(Path(plain(part["file"]))) if "file" in part else None


def _mounted(definition: Mapping[str, Any], path: str) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """The file on this machine behind a path, where a folder or the file itself is mounted."""
    for mount in definition.get("volumes") or ():
        if isinstance(mount, Mapping) and mount.get("type") == "bind":
            target, source = plain(mount.get("target")).rstrip("/"), plain(mount.get("source"))
            if path == target or path.startswith(f"{target}/"):
                file = Path(source + path.removeprefix(target))
                yield path, lambda file=file: _read(file)  # type: ignore[misc]


_MOST = 1 << 16
"""Bytes: what is larger is no password and no server's settings."""


def _read(path: Path) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > _MOST:
            return None
        return path.read_text(errors="replace")
    except (OSError, ValueError):
        return None


def dockerfiles(rendered: Mapping[str, Any]) -> dict[str, str]:
    """The text of each built service's Dockerfile, where it is a file on this machine."""
    found = {}
    for name, service in rendered["services"].items():
        if build := service.get("build"):
            path = Path(plain(build.get("context", "."))) / plain(build.get("dockerfile", "Dockerfile"))
            try:
                found[name] = build.get("dockerfile_inline") or path.read_text(errors="replace")
            except OSError:
                continue
    return found


_SETTINGS = (".cfg", ".conf", ".ini", ".json", ".properties", ".template", ".toml", ".yaml", ".yml")
_MOST_FILES = 50


def mounted_texts(rendered: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings that files on this machine hold for the containers: mounted ones, configs, of folders the
    first few right in them."""
    sources = [
        Path(plain(mount.get("source")))
        for service in rendered["services"].values()
        for mount in service.get("volumes") or ()
        if isinstance(mount, Mapping) and mount.get("type") == "bind"
    ]
    parts = (rendered.get("configs") or {}).values()
    sources += [Path(plain(part["file"])) for part in parts if part and "file" in part]
    found = [_read(path) for source in dict.fromkeys(sources) for path in _settings(source)]
    return tuple(text for text in found if text)


def _settings(source: Path) -> list[Path]:
    try:
        inside = sorted(source.iterdir()) if source.is_dir() else [source]
    except OSError:
        return []
    return [path for path in inside if path.suffix in _SETTINGS][:_MOST_FILES]


_FILE_NAMED = re.compile(r"[^\s\"',\[\]{}]+\.ya?ml\b")


def with_included(files: Iterable[Path]) -> tuple[Path, ...]:
    """``files`` and those that they name and that are there: what they include and extend, however deep."""
    found: dict[Path, None] = {}
    waiting = list(files)
    while waiting:
        path = Path(os.path.normpath(waiting.pop(0)))
        if path in found:
            continue
        found[path] = None
        named = (path.parent / name for name in _FILE_NAMED.findall(_read(path) or ""))
        waiting += [place for place in named if os.path.isfile(place)]  # noqa: PTH113 - Path.is_file raises for a name that is too long
    return tuple(found)

"""PURE: the version that a pyproject.toml and its uv.lock state, and writing another one there."""

from __future__ import annotations

import re
import tomllib
from typing import Any

__all__ = ["lock_with_version", "package_version", "with_version"]

_TABLE = re.compile(r"[ \t]*\[{1,2}(?P<name>[^\[\]]+)\]{1,2}[ \t]*(#.*)?")
_VERSION = re.compile(r"(?P<head>[ \t]*version[ \t]*=[ \t]*)(?P<quote>[\"'])(?P<version>[^\"']*)(?P=quote)")
_NAME = re.compile(r"[-_.]+")


def package_version(pyproject: str) -> tuple[str, str] | None:
    """The package's name and its version, as ``[project]`` states them; ``None`` where one is missing."""
    project = _loaded(pyproject).get("project")
    if not isinstance(project, dict):
        return None
    name, version = project.get("name"), project.get("version")
    return (name, version) if isinstance(name, str) and isinstance(version, str) else None


def with_version(pyproject: str, version: str) -> str:
    """The same text with another version in ``[project]``, if it has one on a line of its own."""
    lines, table = pyproject.splitlines(keepends=True), ""
    for number, line in enumerate(lines):
        if header := _TABLE.fullmatch(line.rstrip("\r\n")):
            table = header["name"].strip()
        elif table == "project" and (found := _VERSION.match(line)):
            lines[number] = f"{found['head']}{found['quote']}{version}{found['quote']}{line[found.end() :]}"
            break
    return "".join(lines)


def lock_with_version(lock: str, name: str, version: str) -> str:
    """The same uv.lock with another version of the project itself: it must fit its pyproject.toml."""
    packages = re.split(r"(?m)^(?=\[\[package\]\])", lock)
    for number, text in enumerate(packages):
        entry = (_loaded(text).get("package") or [{}])[0]
        source = entry.get("source") or {}
        own = "." in (source.get("virtual"), source.get("editable"))
        if own and _normal(entry.get("name", "")) == _normal(name):
            packages[number] = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', text, count=1)
    return "".join(packages)


def _normal(name: str) -> str:
    return _NAME.sub("-", name).lower()


def _loaded(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}

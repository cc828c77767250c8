"""PURE: the version that a pyproject.toml and its uv.lock state, and writing another one there.

What was written is read back: text that a pattern has edited is what the reader of TOML says it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from tasklib.errors import UsageError

__all__ = ["lock_with_version", "package_version", "with_version"]

_TABLE = re.compile(r"[ \t]*\[{1,2}(?P<name>[^\[\]]+)\]{1,2}[ \t]*(#.*)?")
_VERSION = re.compile(r"(?P<head>[ \t]*version[ \t]*=[ \t]*)(?P<quote>[\"'])(?P<version>[^\"']*)(?P=quote)")
_NAME = re.compile(r"[-_.]+")


def package_version(pyproject: str) -> tuple[str, str] | None:
    """The package's name and its version, as ``[project]``, or else Poetry's own table, states them.

    ``None`` where one is missing.
    """
    for said in _stating(_loaded(pyproject)).values():
        if isinstance(name := said.get("name"), str):
            return name, said["version"]
    return None


def _stating(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables that state the package's version, by their names; they are parts of ``data``.

    None where poetry-dynamic-versioning puts it there while it builds: what stands there stands for it.
    """
    tool = data.get("tool")
    tool = tool if isinstance(tool, dict) else {}
    poetry, dynamic = tool.get("poetry"), tool.get("poetry-dynamic-versioning")
    if isinstance(dynamic, dict) and dynamic.get("enable"):
        return {}
    tables = {"project": data.get("project"), "tool.poetry": poetry}
    return {
        name: said
        for name, said in tables.items()
        if isinstance(said, dict) and isinstance(said.get("version"), str)
    }


def with_version(pyproject: str, version: str, *, where: str = "pyproject.toml") -> str:
    """The same text with another version wherever it is stated; the text itself where it is not.

    Raises :class:`~tasklib.errors.UsageError` with ``where`` and the line, for a version that stands where it
    is not changed: anywhere but on a line of its own.
    """
    meant = _loaded(pyproject)
    if package_version(pyproject) is None:
        return pyproject
    tables = _stating(meant)
    old = next(iter(tables.values()))["version"]
    for said in tables.values():
        said["version"] = version
    edited = _edited(pyproject, set(tables), version)
    if _loaded(edited) != meant:
        raise UsageError(
            f"the version {old} could not be changed to {version}",
            where=f"{where}:{_line_of(pyproject, old)}",
            remedy=f'Put `version = "{old}"` on a line of its own below [{next(iter(tables))}].',
        )
    return edited


def _edited(pyproject: str, tables: set[str], version: str) -> str:
    lines, table = pyproject.splitlines(keepends=True), ""
    for number, line in enumerate(lines):
        if header := _TABLE.fullmatch(line.rstrip("\r\n")):
            table = header["name"].strip()
        elif table in tables and (found := _VERSION.match(line)):
            lines[number] = f"{found['head']}{found['quote']}{version}{found['quote']}{line[found.end() :]}"
            tables = tables - {table}
    return "".join(lines)


def lock_with_version(lock: str, name: str, version: str, *, where: str = "uv.lock") -> str:
    """The same uv.lock with another version of the project itself: it must fit its pyproject.toml.

    Raises :class:`~tasklib.errors.UsageError` with ``where`` and the line, where it stands in another form
    than uv writes.
    """
    meant = deepcopy(_loaded(lock))
    own = [entry for entry in _packages(meant) if _is_own(entry, name) and "version" in entry]
    old = [entry["version"] for entry in own]
    for entry in own:
        entry["version"] = version
    parts = re.split(r"(?m)^(?=\[\[package\]\])", lock)
    for number, text in enumerate(parts):
        if any(_is_own(entry, name) for entry in _packages(_loaded(text))):
            parts[number] = re.sub(r'(?m)^version = ".*"', f'version = "{version}"', text, count=1)
    edited = "".join(parts)
    if _loaded(edited) != meant:
        raise UsageError(
            f"the version {old[0] if old else ''} of {name} could not be changed to {version}",
            where=f"{where}:{_line_of(lock, *old[:1])}",
            remedy="Write it again with `uv lock`.",
        )
    return edited


def _packages(lock: dict[str, Any]) -> Iterator[dict[str, Any]]:
    packages = lock.get("package")
    yield from (
        entry for entry in (packages if isinstance(packages, list) else ()) if isinstance(entry, dict)
    )


def _is_own(entry: dict[str, Any], name: str) -> bool:
    source = entry.get("source")
    own = isinstance(source, dict) and "." in (source.get("virtual"), source.get("editable"))
    return own and _normal(str(entry.get("name", ""))) == _normal(name)


def _line_of(text: str, version: str = "") -> int:
    """The first line that seems to state the version, counted from 1."""
    lines = enumerate(text.split("\n"), 1)
    return next((number for number, line in lines if "version" in line and version in line), 1)


def _normal(name: str) -> str:
    return _NAME.sub("-", name).lower()


def _loaded(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}

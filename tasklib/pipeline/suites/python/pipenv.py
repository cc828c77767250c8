"""PURE: what a Pipfile, or what was locked of it, says, as pip takes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tasklib.pipeline.suites.folders import table

__all__ = ["DEVELOPMENT", "FILE", "LOCK", "dependencies", "groups", "other_sources", "python"]

FILE, LOCK = "Pipfile", "Pipfile.lock"

DEVELOPMENT = "dev"
"""What the group of ``dev-packages`` is called here."""

_RUNS = ("packages", "default")
_DEVELOPS = ("dev-packages", "develop")
"""The names in the Pipfile and in its lock."""

_NO_CATEGORIES = frozenset({*_RUNS, *_DEVELOPS, "source", "requires", "scripts", "pipenv", "_meta"})

_MARKERS = (
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_system",
    "platform_python_implementation",
    "implementation_name",
)
"""Markers that may be keys of their own."""


def dependencies(data: Mapping[str, Any]) -> tuple[str, ...]:
    """What the project needs to run."""
    return tuple(entry for name in _RUNS for entry in _requirements(table(data, name)))


def groups(data: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """What development needs, and the categories that the project made itself, by their names."""
    found = {DEVELOPMENT: tuple(entry for name in _DEVELOPS for entry in _requirements(table(data, name)))}
    own = {name: tuple(_requirements(table(data, name))) for name in data if name not in _NO_CATEGORIES}
    return {name: entries for name, entries in {**own, **found}.items() if entries}


def python(data: Mapping[str, Any]) -> str:
    """The Python version that it asks for, as pip writes it."""
    asked = {**table(table(data, "_meta"), "requires"), **table(data, "requires")}
    if full := asked.get("python_full_version"):
        return f"=={full}"
    version = str(asked.get("python_version") or "")
    return f"=={version}.*" if version else ""


def other_sources(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The hosts of the package indexes besides PyPI that it names."""
    listed = [*_tables(data.get("source")), *_tables(table(data, "_meta").get("sources"))]
    hosts = [urlsplit(str(said.get("url"))).hostname for said in listed]
    return tuple(dict.fromkeys(host for host in hosts if host and host != "pypi.org"))


def _tables(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _requirements(listed: Mapping[str, Any]) -> Iterator[str]:
    for name, said in listed.items():
        if isinstance(said, str):
            yield _requirement(name, {"version": said})
        elif isinstance(said, dict):
            yield _requirement(name, said)


def _requirement(name: str, said: Mapping[str, Any]) -> str:
    listed = said.get("extras")
    extras = f"[{','.join(map(str, listed))}]" if isinstance(listed, list) and listed else ""
    where = said.get("path") or said.get("file")
    if where and said.get("editable"):
        return f"-e {where}{extras}"
    markers = [f"({said['markers']})"] if said.get("markers") else []
    markers += [f"{marker} {said[marker]}" for marker in _MARKERS if said.get(marker)]
    only = f" ; {' and '.join(markers)}" if markers else ""
    if where:
        return f"{name}{extras} @ {where}{only}"
    if git := said.get("git"):
        at = f"@{said['ref']}" if said.get("ref") else ""
        below = f"#subdirectory={said['subdirectory']}" if said.get("subdirectory") else ""
        return f"{name}{extras} @ git+{git}{at}{below}{only}"
    version = str(said.get("version") or "*")
    # A bare number is taken as that very version.
    exact = f"=={version}" if version[:1].isdigit() else "" if version == "*" else version
    return f"{name}{extras}{exact}{only}"

"""What an install may take: lower bounds that were tried, and above the holes that are known."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]

SAFE = {"jinja2": "3.1.6", "pytest": "9.0.3", "requests": "2.32.4", "uv": "0.9.6"}
"""The first version without the holes that were known; each has an advisory of its own."""


def requirements() -> list[Requirement]:
    """Those of users: what developers need beside is theirs to keep up."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [rows for name, rows in project["optional-dependencies"].items() if name != "dev"]
    return [Requirement(row) for rows in (project["dependencies"], *extras) for row in rows]


def floor(requirement: Requirement) -> Version | None:
    found = [
        Version(bound.version) for bound in requirement.specifier if bound.operator in (">=", "==", "~=")
    ]
    return max(found, default=None)


def test_every_requirement_has_a_floor_without_known_holes() -> None:
    """An install that resolves to the lowest versions gets none that nobody tried, and none with a hole."""
    floors = {found.name.lower(): floor(found) for found in requirements()}
    assert [name for name, version in floors.items() if version is None] == []
    low = {
        name: floors.get(name)
        for name, safe in SAFE.items()
        if (floors[name] or Version("0")) < Version(safe)
    }
    assert low == {}

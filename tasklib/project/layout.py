"""The standard layout: where a project keeps what, when nothing says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = [
    "INTEGRATION_TESTS",
    "PYPROJECT",
    "SERVICES",
    "TEST_STACK",
    "UNIT_TESTS",
    "holds_tests",
    "service_folders",
]

PYPROJECT = "pyproject.toml"
SERVICES = "services"
UNIT_TESTS = "tests/unit"
INTEGRATION_TESTS = "tests/integration"
TEST_STACK = "deploy/test"

_MARKS = (
    *("Dockerfile", PYPROJECT, "package.json", "deploy", "tests", "test"),
    *("setup.py", "requirements.txt", "go.mod", "Cargo.toml", "pom.xml", "Gemfile", "composer.json"),
)

_PLACEHOLDERS = frozenset({"__init__.py", "conftest.py", "README.md"})
"""What a folder of tests may hold before there is any."""

_BESIDES_TESTS = frozenset(
    {"__pycache__", "__snapshots__", "__fixtures__", "__mocks__", "fixtures", "testdata"}
)
"""Folders that hold what tests leave and read: where they are alone, there is no test yet, or any more."""


def holds_tests(folder: Path) -> bool:
    """Whether ``folder`` is one and holds more than what keeps it in git, and what tests leave or read."""
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _BESIDES_TESTS and not name.startswith(".")]
        if any(not name.startswith(".") and name not in _PLACEHOLDERS for name in names):
            return True
    return False


def service_folders(root: Path) -> dict[str, Path]:
    """The services in ``root/services``, by name: each folder with at least one of a service's files."""
    try:
        folders = sorted((root / SERVICES).iterdir())
    except OSError:
        return {}
    return {
        folder.name: folder
        for folder in folders
        if not folder.name.startswith(".") and any((folder / mark).exists() for mark in _MARKS)
    }

"""The standard layout: where a project keeps what, when nothing says otherwise."""

from __future__ import annotations

from pathlib import Path

__all__ = ["INTEGRATION_TESTS", "PYPROJECT", "SERVICES", "TEST_STACK", "UNIT_TESTS", "service_folders"]

PYPROJECT = "pyproject.toml"
SERVICES = "services"
UNIT_TESTS = "tests/unit"
INTEGRATION_TESTS = "tests/integration"
TEST_STACK = "deploy/test"

_MARKS = ("Dockerfile", PYPROJECT, "package.json", "deploy", "tests")


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

"""pyproject.toml and folders become one :class:`Project`: its services, its Compose files, its targets."""

from __future__ import annotations

from tasklib.project.discovery import find_project
from tasklib.project.model import Environment, Project, Service, Shared, StageTests, Step
from tasklib.project.selection import select_services, targets

__all__ = [
    "Environment",
    "Project",
    "Service",
    "Shared",
    "StageTests",
    "Step",
    "find_project",
    "select_services",
    "targets",
]

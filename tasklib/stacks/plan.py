"""Which Compose files make which stack of a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tasklib.errors import ConfigError
from tasklib.project import Environment, Project, Service, Shared
from tasklib.stacks.compose.compose import Source

__all__ = ["READY_TIMEOUT", "StackPlan", "full_stack_plan", "service_stack_plan"]

READY_TIMEOUT = 180.0
"""Seconds a stack may take to become ready."""


@dataclass(frozen=True)
class StackPlan:
    """Which stack: ``name`` is the service's (``None``: the full stack), ``source`` its Compose files."""

    source: Source
    name: str | None = None
    kept: bool = False
    shared: Shared = field(default_factory=Shared)
    persistent: frozenset[str] = frozenset()
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ready_timeout: float = READY_TIMEOUT

    @property
    def title(self) -> str:
        return f"the stack of {self.name}" if self.name else "the full stack"


def service_stack_plan(project: Project, service: Service) -> StackPlan:
    """The service's own stack. Raises :class:`~tasklib.errors.ConfigError` when it has none."""
    if not service.compose:
        raise ConfigError(
            f"the service {service.name} has no stack of its own",
            where=str(service.path),
            remedy=f"Write deploy/test/docker-compose.yml there, or set services.{service.name}.compose.",
        )
    return StackPlan(
        Source(service.compose, project.root, profiles=project.profiles),
        service.name,
        shared=project.shared,
        persistent=project.persistent,
        env=service.env,
        ready_timeout=project.ready_timeout or READY_TIMEOUT,
    )


def full_stack_plan(project: Project, environment: Environment = Environment.TEST) -> StackPlan:
    """The full stack. Raises :class:`~tasklib.errors.ConfigError` when the project has none."""
    files = project.compose.get(environment, ())
    if not files:
        raise ConfigError(
            f"there is no full stack for {environment}",
            where=str(project.root),
            remedy=f"Write deploy/{environment}/docker-compose.yml, or set compose.{environment}.",
        )
    return StackPlan(
        Source(files, project.root, profiles=project.profiles),
        shared=project.shared,
        persistent=project.persistent,
        ready_timeout=project.ready_timeout or READY_TIMEOUT,
    )

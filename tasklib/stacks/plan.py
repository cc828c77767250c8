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
    """Which stack: ``name`` is the service's (``None``: the full stack), ``source`` its Compose files.

    ``publish`` are the ports, by Compose service, that tests need besides those that the files publish. Where
    the project has no other stack (``alone``), each has to be in this one.
    """

    source: Source
    name: str | None = None
    kept: bool = False
    shared: Shared = field(default_factory=Shared)
    persistent: frozenset[str] = frozenset()
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    publish: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    alone: bool = False
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
        Source(
            service.compose,
            project.root,
            # What lies in the project's folder is written like its own files.
            folder=project.project_directory if service.path == project.root else None,
            profiles=project.profiles,
            variables=project.env_files,
            services=service.needs,
        ),
        service.name,
        shared=project.shared,
        persistent=project.persistent,
        env=service.env,
        publish=project.publish,
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
        Source(
            files,
            project.root,
            folder=project.project_directory,
            profiles=project.profiles,
            variables=project.env_files,
            # dev and prod run as their files are written.
            services=project.needs if environment is Environment.TEST else (),
        ),
        shared=project.shared,
        persistent=project.persistent,
        env=project.env,
        publish=project.publish,
        alone=not any(service.compose for service in project.services),
        ready_timeout=project.ready_timeout or READY_TIMEOUT,
    )

"""Which Compose files make which stack of a project."""

from __future__ import annotations

from tasklib.errors import ConfigError
from tasklib.project import Environment, Project, Service
from tasklib.stacks.compose import Source
from tasklib.stacks.preparation import READY_TIMEOUT, StackPlan

__all__ = ["full_stack_plan", "service_stack_plan"]


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

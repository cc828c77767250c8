"""Which Compose files make which stack of a project."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.errors import ConfigError
from tasklib.project import Environment, Project, Service, Shared, StageTests
from tasklib.stacks.address import EngineAddress
from tasklib.stacks.compose.source import Source

__all__ = ["READY_TIMEOUT", "StackPlan", "full_stack_plan", "service_stack_plan"]

READY_TIMEOUT = 180.0
"""Seconds a stack may take to become ready."""


class StackPlan(Struct, frozen=True):
    """Which stack: ``name`` is the service's (``None``: the full stack), ``source`` its Compose files.

    ``needs`` are the services that are named as needed (none: all), ``inside`` those in whose images commands
    of ours run, ``tested`` those of them whose own command is the tests. ``publish`` are the ports, by
    Compose service, that tests need besides those that the files publish, ``copy_in`` folders whose copies
    containers may write to. Where the project has no other
    stack (``alone``), each has to be in this one.
    """

    source: Source
    name: str | None = None
    kept: bool = False
    shared: Shared = field(default_factory=Shared)
    copy_in: frozenset[str] = frozenset()
    persistent: frozenset[str] = frozenset()
    bake: bool = False
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    publish: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    alone: bool = False
    needs: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()
    tested: frozenset[str] = frozenset()
    ready_timeout: float = READY_TIMEOUT

    @property
    def title(self) -> str:
        return f"the stack of {self.name}" if self.name else "the full stack"

    def on(self, engine: EngineAddress | None) -> StackPlan:
        """The same stack, on the engine at ``engine`` (``None``: the one that the environment names)."""
        return replace(self, source=replace(self.source, engine=engine))


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
            folder=service.project_directory,
            profiles=project.profiles,
            variables=project.env_files,
            services=_services(service.needs, service.tests),
        ),
        service.name,
        shared=project.shared,
        copy_in=project.copy_in,
        persistent=project.persistent,
        bake=project.bake,
        env=service.env,
        publish=project.publish,
        inside=_inside(service.tests),
        needs=frozenset(service.needs),
        tested=_tested(service.tests),
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
    tests = project.integration if environment is Environment.TEST else None
    return StackPlan(
        Source(
            files,
            project.root,
            folder=project.project_directory,
            profiles=project.profiles,
            variables=project.env_files,
            # dev and prod run as their files are written.
            services=_services(project.needs, tests) if environment is Environment.TEST else (),
        ),
        shared=project.shared,
        copy_in=project.copy_in,
        persistent=project.persistent,
        bake=project.bake,
        env=project.env,
        publish=project.publish,
        inside=_inside(tests),
        tested=_tested(tests),
        needs=frozenset(project.needs),
        alone=not any(service.compose for service in project.services),
        ready_timeout=project.ready_timeout or READY_TIMEOUT,
    )


def _inside(tests: StageTests | None) -> frozenset[str]:
    """The services in which something of ``tests`` runs."""
    if tests is None:
        return frozenset()
    return frozenset(name for name in (tests.inside, *(step.inside for step in tests.setup)) if name)


def _tested(tests: StageTests | None) -> frozenset[str]:
    return frozenset({tests.inside}) if tests and tests.inside and not tests.command else frozenset()


def _services(needs: tuple[str, ...], tests: StageTests | None) -> tuple[str, ...]:
    """What Compose is asked for: all, or what is needed and what commands of ours run in."""
    return (*needs, *sorted(_inside(tests) - {*needs})) if needs else ()

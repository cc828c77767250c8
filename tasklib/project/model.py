"""What a project is made of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct, field

from tasklib.isolation import PREFIX, is_compose_name, slug
from tasklib.reach import Way
from tasklib.results import Stage

__all__ = ["Environment", "Project", "Service", "Shared", "StageTests", "Step"]


class Environment(StrEnum):
    """The three environments of a project. Only ``test`` is rewritten; dev and prod run as written."""

    DEV = "dev"
    TEST = "test"
    PROD = "prod"


class Step(Struct, frozen=True):
    """A command that makes a stack ready for tests: on this machine, or ``inside`` a Compose service."""

    command: tuple[str, ...]
    inside: str | None = None


class StageTests(Struct, frozen=True):
    """The tests of a service, or of the project itself, in one stage, and what the settings say of them.

    ``paths`` (absolute) are their files and folders; a ``command`` of the project's own may do without, and
    so may tests that run ``inside`` a Compose service, whose own command is theirs where they have none.
    ``env`` is extra environment for them, ``setup`` what is done before them once their stack is ready,
    ``timeout`` their own limit in seconds.
    """

    paths: tuple[Path, ...] = ()
    command: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    timeout: float | None = None
    inside: str | None = None
    setup: tuple[Step, ...] = ()


class Service(Struct, frozen=True):
    """One service: a folder of ``services/``, or the project itself in a single-service project.

    All paths are absolute. ``compose`` holds the files of the service's own stack (empty: it has none),
    ``unit`` and ``tests`` its unit tests and its tests against its own stack (``None``: it has none),
    ``env`` extra environment for its Compose files, ``needs`` the Compose services that its stack is made of,
    with what they depend on (empty: all), ``depends`` folders shared with other services,
    ``project_directory`` where relative paths in its stack's files start (``None``: where Compose says).
    """

    name: str
    path: Path
    compose: tuple[Path, ...] = ()
    unit: StageTests | None = None
    tests: StageTests | None = None
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    needs: tuple[str, ...] = ()
    depends: tuple[Path, ...] = ()
    project_directory: Path | None = None


class Shared(Struct, frozen=True):
    """What tests may touch although it is not theirs alone, as ``shared`` in pyproject.toml allows it."""

    volumes: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    mounts: frozenset[str] = frozenset()
    host_network: bool = False


class Project(Struct, frozen=True):
    """A project as found on disk.

    ``root`` is the folder that holds it (absolute), ``config`` the pyproject.toml that describes it if any,
    ``single`` whether it is one service without a ``services/`` layer, ``compose`` the files of the full
    stack per environment, ``unit`` and ``integration`` the tests that are no service's (unit tests, and those
    of the full stack), ``env`` and ``needs`` are for the full stack what they are for a service's own,
    ``env_files`` and ``project_directory`` what Compose is given (``None``: where it looks by itself),
    ``publish`` the ports, by Compose service, that tests need besides those its file publishes,
    ``endpoints`` the templates by variable, ``persistent`` the volumes and services of test stacks whose data
    stays on disk (``all``: every), ``bake`` whether known data stores start from what they initialised
    before, ``slow`` and ``timeout`` seconds per stage, ``ready_timeout`` the seconds
    that a stack may take to become ready (``None``: the default), ``jobs`` how many targets may run at once
    (``None``: by machine), ``engines`` where its stacks are placed (empty: on the engine that the
    environment names), ``reach`` how tests get to containers (``None``: as what is seen of the engine
    says), ``copy_in`` the folders (absolute) whose copies containers may write to where the engine's machine
    does not have them, ``mask`` names of variables whose values are hidden besides the known ones,
    ``reuses_images`` whether what tests need built comes from the registry where it has it, ``pushes_images``
    whether this run gives it what it lacks, ``attestations`` what is attested of released images (kinds with
    buildx's options).
    """

    root: Path
    name: str
    services: tuple[Service, ...] = ()
    config: Path | None = None
    prefix: str = PREFIX
    single: bool = False
    compose: Mapping[Environment, tuple[Path, ...]] = field(default_factory=lambda: MappingProxyType({}))
    unit: StageTests | None = None
    integration: StageTests | None = None
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    needs: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    env_files: tuple[Path, ...] | None = None
    project_directory: Path | None = None
    publish: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    endpoints: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    shared: Shared = Shared()
    persistent: frozenset[str] = frozenset()
    bake: bool = True
    image_name: str | None = None
    reuses_images: bool = False
    pushes_images: bool = False
    attestations: tuple[str, ...] = ()
    slow: Mapping[Stage, float] = field(default_factory=lambda: MappingProxyType({}))
    timeout: Mapping[Stage, float] = field(default_factory=lambda: MappingProxyType({}))
    ready_timeout: float | None = None
    jobs: int | None = None
    base_branch: str = "main"
    engines: tuple[str, ...] = ()
    reach: Way | None = None
    copy_in: frozenset[str] = frozenset()
    mask: tuple[str, ...] = ()

    def all_tests(self) -> tuple[StageTests, ...]:
        """The tests of every service and of the project itself, in all stages."""
        found = [self.unit, self.integration]
        found += [tests for service in self.services for tests in (service.unit, service.tests)]
        return tuple(tests for tests in found if tests)

    @property
    def suite(self) -> str:
        """What the target of the project's own tests is called: its name, if no service has that."""
        if self.single:
            return self.services[0].name if self.services else self.name
        taken = any(service.name == self.name for service in self.services)
        return f"{self.name} (project)" if taken else self.name

    def fixed_project(self, environment: Environment) -> str:
        """The Compose project of the dev or prod stack, the same in every checkout: ``<name>-dev``."""
        plain = f"{self.name}-{environment}"
        return plain if is_compose_name(plain) else f"{slug(self.name)}-{environment}"

"""From a project's root folder and its settings to the :class:`Project`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from tasklib.errors import ConfigError
from tasklib.options.likeness import nearest
from tasklib.project import configuration, toml
from tasklib.project.compose_files import compose_files, without_exported
from tasklib.project.configuration import TABLE
from tasklib.project.layout import (
    INTEGRATION_TESTS,
    PYPROJECT,
    SERVICES,
    TEST_STACK,
    UNIT_TESTS,
    holds_tests,
    service_folders,
)
from tasklib.project.model import Environment, Project, Service, Shared, StageTests
from tasklib.project.places import Places
from tasklib.project.selection import targets
from tasklib.project.settings import ServiceSection, Settings, StageSeconds, SuiteKeys
from tasklib.project.settings import Stage as StageSetting
from tasklib.project.stack_files import StackFiles
from tasklib.project.stage_tests import SuiteReader
from tasklib.reach import Way
from tasklib.results import Stage
from tasklib.shown.cleaning import in_ci

__all__ = ["load_project"]

_SLOW = {Stage.UNIT: 1.0, Stage.SERVICE: 5.0, Stage.INTEGRATION: 5.0}


def load_project(root: Path, env: Mapping[str, str]) -> Project:
    """The project in ``root`` (absolute, links resolved).

    Raises :class:`~tasklib.errors.ConfigError` where its settings, or COMPOSE_FILE, cannot be followed.
    """
    pyproject = root / PYPROJECT
    document = toml.read(pyproject) if pyproject.is_file() else toml.Document(pyproject, "", {})
    return _Assembly(root, document, configuration.load(document), without_exported(env)).project()


@dataclass(frozen=True)
class _Assembly:
    root: Path
    document: toml.Document
    settings: Settings
    env: Mapping[str, str]

    def project(self) -> Project:
        settings = self.settings
        if settings.images.reuse and not settings.images.name:
            raise ConfigError(
                "images.reuse says nothing without images.name",
                where=str(self.document.path),
                remedy='[tool.tasklib.images] name = "registry.example.com/myproject-{service}"',
            )
        services = self._services()
        only = self._only()
        single = only is not None
        common = self._common(only) if only else settings
        reader = SuiteReader(self._places, self.root, common)
        project = Project(
            root=self.root,
            name=self._name,
            services=services,
            config=self.document.path if self.document.data else None,
            prefix=settings.prefix,
            single=single,
            compose=self._stacks.compose,
            unit=None if single else self._own(reader, settings.unit, "unit", UNIT_TESTS, services),
            integration=self._integration(reader, services),
            env=MappingProxyType(common.env),
            needs=tuple(common.needs),
            profiles=self._stacks.profiles,
            env_files=self._stacks.env_files,
            project_directory=self._stacks.project_directory,
            publish=MappingProxyType(configuration.published(settings.publish)),
            endpoints=MappingProxyType(settings.endpoints),
            shared=Shared(
                volumes=frozenset(settings.shared.volumes),
                networks=frozenset(settings.shared.networks),
                mounts=frozenset(settings.shared.mounts),
                host_network=settings.shared.host_network,
            ),
            image_name=settings.images.name,
            reuses_images=settings.images.reuse is not None and settings.images.name is not None,
            pushes_images=settings.images.reuse == "push"
            or (settings.images.reuse == "ci" and in_ci(self.env)),
            attestations=tuple(settings.images.attestations),
            slow=MappingProxyType(_SLOW | _seconds(settings.slow)),
            timeout=MappingProxyType(_seconds(settings.timeout)),
            persistent=frozenset(settings.persistent),
            bake=settings.bake and self.env.get("TASKLIB_BAKE") != "0",
            ready_timeout=settings.timeout.ready,
            jobs=settings.jobs,
            base_branch=settings.base_branch,
            mask=tuple(settings.mask),
            engines=tuple(dict.fromkeys(settings.engines)),
            reach=Way(settings.reach) if settings.reach else None,
            copy_in=frozenset(os.path.normpath(self.root / folder) for folder in settings.copy_in),
        )
        if self._is_empty(project):
            raise ConfigError(
                "no services and no tests found", where=str(self.root), remedy=self._places_known()
            )
        return project

    def _is_empty(self, project: Project) -> bool:
        something = targets(project, Stage) or any(project.compose.values())
        return project.single and not something and not (self.root / "Dockerfile").exists()

    def _places_known(self) -> str:
        if (self.root / "tests").is_dir():
            return (
                "In [tool.tasklib] of pyproject.toml say what tests/ holds: "
                '`unit = "tests"` if they need nothing, `integration = "tests"` if they need a stack.'
            )
        return (
            "tasklib looks for services/<name>/, tests/unit, tests/integration and "
            "deploy/test/docker-compose.yml; [tool.tasklib] in pyproject.toml can name others."
        )

    @cached_property
    def _places(self) -> Places:
        return Places(self.document)

    @cached_property
    def _stacks(self) -> StackFiles:
        return StackFiles(self._places, self.root, self.settings, self.env)

    @cached_property
    def _name(self) -> str:
        named = (self.document.table("project") or {}).get("name")
        return self.settings.name or (named if isinstance(named, str) else "") or self.root.name or "project"

    # -- services ----------------------------------------------------------------------------------------

    def _services(self) -> tuple[Service, ...]:
        """The services of ``services/`` and those that the settings add, by name."""
        if only := self._only():
            return (self._single(only),)
        folders = self._folders
        # Of several services in one folder, what lies in its standard places is the first one's.
        first = {folder: name for name, folder in reversed([*folders.items()])}
        return tuple(
            self._service(name, folder, first=first[folder] == name)
            for name, folder in sorted(folders.items())
        )

    @cached_property
    def _folders(self) -> Mapping[str, Path]:
        """The folder of each service: those that the settings name come first, as they are written there."""
        found = service_folders(self.root)
        named: dict[str, Path] = {}
        for key, section in self.settings.services.items():
            if section.path is not None:
                named[key] = self._places.required(
                    self.root, section.path, Path.is_dir, "services", key, "path"
                )
                if named[key] in self.root.parents:
                    what = f"`services.{key}.path`: {named[key]} contains the project itself"
                    raise self._places.error(what, "services", key, "path")
            elif key not in found and (found or key != self._name):
                raise self._unknown_service(key, found)
        # A path into services/ gives that folder another name; it is still one service.
        renamed = {folder.resolve() for folder in named.values()}
        return named | {
            key: folder
            for key, folder in found.items()
            if key not in named and folder.resolve() not in renamed
        }

    def _only(self) -> str | None:
        """The name of the only service where that is the whole project, and the full stack its stack."""
        folders = self._folders
        if not folders:
            return self._name
        name, *others = folders
        section = self.settings.services.get(name, ServiceSection())
        own = section.compose is not None or section.service is not None
        return None if others or own or folders[name] != self.root else name

    def _unknown_service(self, key: str, folders: Mapping[str, Path]) -> ConfigError:
        near = f"Did you mean `{nearest(key, folders)}`? " if folders else ""
        return self.document.error(
            f"`services.{key}`: there is no service in {self.root / SERVICES / key}",
            *(*TABLE, "services", key),
            remedy=f"{near}A service elsewhere needs its `path`.",
        )

    def _service(self, name: str, folder: Path, *, first: bool) -> Service:
        section = self.settings.services.get(name, ServiceSection())
        keys = ("services", name)
        reader = SuiteReader(self._places, folder, section, keys)
        stack = self._places.files(folder, section.compose, *keys, "compose")
        if stack is None:
            stack = compose_files(folder / TEST_STACK) if first or section.service is not None else ()
        standard = INTEGRATION_TESTS if first or section.compose is not None else None
        tests = reader.tests(section.service, "service", standard)
        return Service(
            name=name,
            path=folder,
            compose=stack,
            unit=reader.unit(UNIT_TESTS if first else None, tests),
            tests=tests,
            env=MappingProxyType(section.env),
            needs=tuple(section.needs),
            depends=self._places.all(folder, section.depends, Path.exists, *keys, "depends"),
            project_directory=self._stacks.directory_of(folder, section.project_directory, *keys),
        )

    def _single(self, name: str) -> Service:
        """The project as its own only service."""
        section = self.settings.services.get(name, ServiceSection())
        for key, value, instead in (
            ("compose", section.compose, "compose.test"),
            ("project-directory", section.project_directory, "project-directory"),
            ("service", section.service, "integration"),
        ):
            if value is not None:
                raise self._places.error(
                    f"`services.{name}.{key}`: a single-service project has no stack but the full one",
                    *("services", name, key),
                    remedy=f"Use `{instead}` of [tool.tasklib] instead.",
                )
        keys = () if section.unit is None else ("services", name)
        common = self._common(name)
        reader = SuiteReader(self._places, self.root, common, keys)
        integration = self._integration(SuiteReader(self._places, self.root, common), ())
        return Service(
            name=name,
            path=self.root,
            unit=reader.unit(UNIT_TESTS, integration),
            env=MappingProxyType(common.env),
            depends=self._places.all(self.root, section.depends, Path.exists, "services", name, "depends"),
        )

    def _common(self, name: str) -> SuiteKeys:
        """What is said of the suites of the project that is its own only service, in either place."""
        top, own = self.settings, self.settings.services.get(name, ServiceSection())
        return SuiteKeys(
            unit=top.unit if own.unit is None else own.unit,
            command=own.command or top.command,
            env={**top.env, **own.env},
            needs=own.needs or top.needs,
            in_=own.in_ or top.in_,
            setup=top.setup if own.setup is None else own.setup,
        )

    # -- the project's own suites ------------------------------------------------------------------------

    def _integration(self, reader: SuiteReader, services: tuple[Service, ...]) -> StageTests | None:
        setting = self.settings.integration
        found = self._own(reader, setting, "integration", INTEGRATION_TESTS, services)
        single = self._only() is not None
        if found is None and setting is None and single and self._stacks.compose[Environment.TEST]:
            # A command beside a stack and no folder of unit tests is meant for that stack.
            named = reader.common.unit is not None or holds_tests(self.root / UNIT_TESTS)
            if reader.common.command and not named:
                return reader.made((), "integration")
        return found

    def _own(
        self,
        reader: SuiteReader,
        setting: StageSetting,
        key: str,
        standard: str,
        services: tuple[Service, ...],
    ) -> StageTests | None:
        """The project's own tests of a stage, but for a standard place that a service in its folder has."""
        tests = reader.tests(setting, key, standard)
        others = [
            tests
            for s in services
            if s.path == self.root
            for tests in (s.unit, s.tests if s.compose else None)
        ]
        if tests and setting is None and any(other and other.paths == tests.paths for other in others):
            return None
        return tests


def _seconds(section: StageSeconds) -> dict[Stage, float]:
    found = {stage: getattr(section, stage) for stage in Stage}
    return {stage: seconds for stage, seconds in found.items() if seconds is not None}

"""From a project's root folder and its settings to the :class:`Project`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from tasklib.errors import ConfigError
from tasklib.project import configuration, toml
from tasklib.project.compose_files import (
    EXPORTED_FILES,
    compose_files,
    named_by_environment,
    profiles_of_environment,
)
from tasklib.project.configuration import TABLE
from tasklib.project.layout import (
    INTEGRATION_TESTS,
    PYPROJECT,
    SERVICES,
    TEST_STACK,
    UNIT_TESTS,
    service_folders,
)
from tasklib.project.model import Environment, Project, Service, Shared
from tasklib.project.selection import targets
from tasklib.project.settings import ServiceSection, Settings, StageSeconds
from tasklib.results import Stage

__all__ = ["load_project"]

_SLOW = {Stage.UNIT: 1.0, Stage.SERVICE: 5.0, Stage.INTEGRATION: 5.0}


def load_project(root: Path, env: Mapping[str, str]) -> Project:
    """The project in ``root`` (absolute, links resolved).

    Raises :class:`~tasklib.errors.ConfigError` where its settings, or COMPOSE_FILE, cannot be followed.
    """
    pyproject = root / PYPROJECT
    document = toml.read(pyproject) if pyproject.is_file() else toml.Document(pyproject, "", {})
    return _Assembly(root, document, configuration.load(document), env).project()


@dataclass(frozen=True)
class _Assembly:
    root: Path
    document: toml.Document
    settings: Settings
    env: Mapping[str, str]

    def project(self) -> Project:
        settings, name = self.settings, self._name()
        services = self._services(name)
        single = not services
        project = Project(
            root=self.root,
            name=name,
            services=(self._single(name),) if single else services,
            config=self.document.path if self.document.data else None,
            prefix=settings.prefix,
            single=single,
            compose=self._compose(),
            unit=None if single else self._path(self.root, None, UNIT_TESTS, Path.is_dir, "unit"),
            integration=self._path(
                self.root, settings.integration, INTEGRATION_TESTS, Path.is_dir, "integration"
            ),
            profiles=self._profiles(),
            endpoints=MappingProxyType(settings.endpoints),
            shared=Shared(
                volumes=frozenset(settings.shared.volumes),
                networks=frozenset(settings.shared.networks),
                mounts=frozenset(settings.shared.mounts),
                host_network=settings.shared.host_network,
            ),
            image_name=settings.images.name,
            slow=MappingProxyType(_SLOW | _seconds(settings.slow)),
            timeout=MappingProxyType(_seconds(settings.timeout)),
            persistent=frozenset(settings.persistent),
            ready_timeout=settings.timeout.ready,
            jobs=settings.jobs,
            base_branch=settings.base_branch,
        )
        if self._is_empty(project):
            raise ConfigError(
                "no services and no tests found",
                where=str(self.root),
                remedy="tasklib looks for services/<name>/, tests/unit, tests/integration and "
                "deploy/test/docker-compose.yml; [tool.tasklib] in pyproject.toml can name others.",
            )
        return project

    def _is_empty(self, project: Project) -> bool:
        something = targets(project, Stage) or any(project.compose.values())
        return project.single and not something and not (self.root / "Dockerfile").exists()

    def _name(self) -> str:
        named = (self.document.table("project") or {}).get("name")
        return self.settings.name or (named if isinstance(named, str) else "") or self.root.name or "project"

    def _services(self, name: str) -> tuple[Service, ...]:
        """The services of ``services/`` and those that the settings add, by name."""
        folders = service_folders(self.root)
        for key, section in self.settings.services.items():
            if section.path is not None:
                folder = self._required(self.root, section.path, Path.is_dir, "services", key, "path")
                # A path into services/ gives that folder another name; it is still one service.
                folders = {k: v for k, v in folders.items() if v.resolve() != folder.resolve()} | {
                    key: folder
                }
            elif key not in folders and (folders or key != name):
                raise self._unknown_service(key, folders)
        return tuple(self._service(key, folders[key]) for key in sorted(folders))

    def _unknown_service(self, key: str, folders: Mapping[str, Path]) -> ConfigError:
        near = f"Did you mean `{toml.nearest(key, folders)}`? " if folders else ""
        return self.document.error(
            f"`services.{key}`: there is no service in {self.root / SERVICES / key}",
            *(*TABLE, "services", key),
            remedy=f"{near}A service elsewhere needs its `path`.",
        )

    def _service(self, name: str, folder: Path) -> Service:
        section = self.settings.services.get(name, ServiceSection())
        keys = ("services", name)
        stack = self._files(folder, section.compose, *keys, "compose")
        return Service(
            name=name,
            path=folder,
            compose=compose_files(folder / TEST_STACK) if stack is None else stack,
            unit=self._path(folder, section.unit, UNIT_TESTS, Path.is_dir, *keys, "unit"),
            tests=self._path(folder, section.service, INTEGRATION_TESTS, Path.is_dir, *keys, "service"),
            command=None if section.command is None else tuple(section.command),
            env=MappingProxyType(section.env),
            depends=tuple(
                self._required(folder, path, Path.exists, *keys, "depends") for path in section.depends
            ),
        )

    def _single(self, name: str) -> Service:
        """The project as its own only service."""
        section = self.settings.services.get(name, ServiceSection())
        for key, value in (("compose", section.compose), ("service", section.service)):
            if value is not None:
                raise self.document.error(
                    f"`services.{name}.{key}`: a single-service project has no stack but the full one",
                    *(*TABLE, "services", name, key),
                    remedy="Use `compose.test` and `integration` instead.",
                )
        whole = self._service(name, self.root)
        return replace(whole, compose=(), tests=None)

    def _compose(self) -> Mapping[Environment, tuple[Path, ...]]:
        configured = {
            environment: self._files(
                self.root, getattr(self.settings.compose, environment), "compose", environment
            )
            for environment in Environment
        }
        found = {
            environment: compose_files(self.root / "deploy" / environment) if files is None else files
            for environment, files in configured.items()
        }
        if configured[Environment.TEST] is None:
            found[Environment.TEST] = self._test_stack(found[Environment.TEST])
        return MappingProxyType(found)

    def _test_stack(self, standard: tuple[Path, ...]) -> tuple[Path, ...]:
        """COMPOSE_FILE, then ``deploy/test``, then what plain Compose finds in the root."""
        named = self.env.get("COMPOSE_FILE")
        if named and named != self.env.get(EXPORTED_FILES):
            return named_by_environment(self.root, self.env)
        return standard or named_by_environment(self.root, self.env) or compose_files(self.root)

    def _profiles(self) -> tuple[str, ...]:
        if self.settings.profiles is not None:
            return tuple(self.settings.profiles)
        return profiles_of_environment(self.root, self.env)

    def _files(self, folder: Path, named: str | list[str] | None, *keys: str) -> tuple[Path, ...] | None:
        if named is None:
            return None
        names = [named] if isinstance(named, str) else named
        return tuple(self._required(folder, name, Path.is_file, *keys) for name in names)

    def _path(
        self, folder: Path, named: str | None, standard: str, exists: Callable[[Path], bool], *keys: str
    ) -> Path | None:
        """What the settings name, which must exist, else the standard place if that does."""
        if named is not None:
            return self._required(folder, named, exists, *keys)
        return folder / standard if exists(folder / standard) else None

    def _required(self, folder: Path, name: str, exists: Callable[[Path], bool], *keys: str) -> Path:
        path = Path(os.path.normpath(folder / name))
        if not exists(path):
            kind = "folder" if exists is Path.is_dir else "file"
            raise self.document.error(f"`{'.'.join(keys)}`: there is no {kind} {path}", *(*TABLE, *keys))
        return path


def _seconds(section: StageSeconds) -> dict[Stage, float]:
    found = {stage: getattr(section, stage) for stage in Stage}
    return {stage: seconds for stage, seconds in found.items() if seconds is not None}

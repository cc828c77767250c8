"""What Compose is given for the full stacks: files, variables, profiles, and where paths start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from tasklib.project.compose_files import (
    compose_files,
    compose_files_for_tests,
    compose_variables,
    env_files_of_environment,
    named_by_environment,
    profiles_of_environment,
)
from tasklib.project.model import Environment
from tasklib.project.places import Places
from tasklib.project.settings import Settings

__all__ = ["StackFiles"]


@dataclass(frozen=True)
class StackFiles:
    """Finds them in ``root``: as the settings say, else as plain Compose does.

    What is asked for raises :class:`~tasklib.errors.ConfigError` where it names what does not exist.
    """

    places: Places
    root: Path
    settings: Settings
    env: Mapping[str, str]

    @cached_property
    def compose(self) -> Mapping[Environment, tuple[Path, ...]]:
        """The files of the full stack of each environment."""
        configured = {
            environment: self.places.files(
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
        """COMPOSE_FILE, ``deploy/test``, what plain Compose finds in the root, what is for tests alone."""
        if self.env.get("COMPOSE_FILE"):
            return named_by_environment(self.root, self._variables, self.env)
        return (
            standard
            or named_by_environment(self.root, self._variables, self.env)
            or compose_files(self.root)
            or compose_files_for_tests(self.root)
        )

    @cached_property
    def profiles(self) -> tuple[str, ...]:
        if self.settings.profiles is not None:
            return tuple(self.settings.profiles)
        return profiles_of_environment(self._variables, self.env)

    @cached_property
    def project_directory(self) -> Path | None:
        """Where relative paths start; ``None``: in the folder of the first file."""
        named = self.settings.project_directory
        if named is None:
            return None
        return self.places.required(self.root, named, Path.is_dir, "project-directory")

    def directory_of(self, folder: Path, named: str | None, *keys: str) -> Path | None:
        """The same for the own stack of the service in ``folder``, whose settings are behind ``keys``."""
        if named is not None:
            return self.places.required(folder, named, Path.is_dir, *keys, "project-directory")
        # What lies in the project's folder is written like its own files.
        return self.project_directory if folder == self.root else None

    @cached_property
    def env_files(self) -> tuple[Path, ...] | None:
        """Where variables are read; ``None``: in the ``.env`` files that there are."""
        named = self.places.files(self.root, self.settings.env_files, "env-files")
        return env_files_of_environment(self.root, self.env) if named is None else named

    @cached_property
    def _variables(self) -> Mapping[str, str]:
        """Compose's own variables, from where Compose reads variables."""
        return compose_variables((self.root / ".env",) if self.env_files is None else self.env_files)

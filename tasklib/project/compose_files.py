"""Which Compose files a folder has, found as plain Compose finds them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from tasklib.errors import ConfigError
from tasklib.files.there import is_file
from tasklib.shown.cutting import shorten

__all__ = [
    "EXPORTED_FILES",
    "assignments",
    "compose_files",
    "compose_files_for_tests",
    "compose_variables",
    "env_files_of_environment",
    "named_by_environment",
    "profiles_of_environment",
]

EXPORTED_FILES = "TASKLIB_COMPOSE_FILE"
"""Beside a COMPOSE_FILE that tasklib itself exported, the same value: it says nothing of the project."""

_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDES = tuple(name.replace("compose.", "compose.override.") for name in _NAMES)
_FOR_TESTS = tuple(name.replace("compose.", "compose.test.") for name in _NAMES)


def compose_files(folder: Path) -> tuple[Path, ...]:
    """The Compose file of ``folder`` and its override file, in the order of merging; empty without one."""
    main = _first(folder, _NAMES)
    override = _first(folder, _OVERRIDES)
    return tuple(path for path in (main, override) if path) if main else ()


def without_exported(env: Mapping[str, str]) -> Mapping[str, str]:
    """``env`` without what tasklib itself set for plain Compose: it says nothing of any project."""
    if EXPORTED_FILES not in env or env.get("COMPOSE_FILE") != env[EXPORTED_FILES]:
        return env
    ours = {"COMPOSE_FILE", "COMPOSE_ENV_FILES", "COMPOSE_PROFILES"}
    return {name: value for name, value in env.items() if name not in ours}


def named_by_environment(folder: Path, dotenv: Mapping[str, str], env: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that COMPOSE_FILE names, from ``env`` or ``dotenv``, relative to ``folder``.

    Raises :class:`~tasklib.errors.ConfigError` for one that does not exist.
    """
    source = {**dotenv, **env}
    value = source.get("COMPOSE_FILE", "")
    separator = source.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    paths = tuple(folder / part for part in value.split(separator) if part)
    for path in paths:
        if not is_file(path):
            raise ConfigError(
                f"there is no Compose file {shorten(str(path), 200)}",
                where="COMPOSE_FILE",
                remedy="Unset COMPOSE_FILE, or set compose.test in [tool.tasklib]: it takes precedence.",
            )
    return paths


def profiles_of_environment(dotenv: Mapping[str, str], env: Mapping[str, str]) -> tuple[str, ...]:
    """The profiles that COMPOSE_PROFILES names, from ``env`` or ``dotenv``."""
    value = {**dotenv, **env}.get("COMPOSE_PROFILES", "")
    return tuple(part for part in (name.strip() for name in value.split(",")) if part)


def env_files_of_environment(folder: Path, env: Mapping[str, str]) -> tuple[Path, ...] | None:
    """The files that COMPOSE_ENV_FILES names, relative to ``folder``; ``None`` where it is not set.

    Raises :class:`~tasklib.errors.ConfigError` for one that does not exist.
    """
    value = env.get("COMPOSE_ENV_FILES", "")
    paths = tuple(folder / part for part in (name.strip() for name in value.split(",")) if part)
    for path in paths:
        if not is_file(path):
            raise ConfigError(
                f"there is no file {shorten(str(path), 200)}",
                where="COMPOSE_ENV_FILES",
                remedy="Unset COMPOSE_ENV_FILES, or set env-files in [tool.tasklib]: it takes precedence.",
            )
    return paths or None


def compose_files_for_tests(folder: Path) -> tuple[Path, ...]:
    """The file that is there for tests alone, as some builders look for it: ``docker-compose.test.yml``."""
    found = _first(folder, _FOR_TESTS)
    return (found,) if found else ()


def compose_variables(files: Iterable[Path]) -> dict[str, str]:
    """The variables of Compose itself in ``files``, of which the last one counts."""
    found: dict[str, str] = {}
    for path in files:
        found |= assignments(path)
    return {name: value for name, value in found.items() if name.startswith("COMPOSE_")}


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def assignments(path: Path) -> dict[str, str]:
    """The variables of a ``.env`` file: plain assignments, nothing is interpolated; none where it is not."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return {}
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.split(" #")[0].strip().strip("\"'")
    return found

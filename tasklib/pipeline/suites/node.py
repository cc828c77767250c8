"""What starts a Node tool in a folder, and what installs its dependencies."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasklib.errors import ConfigError
from tasklib.pipeline.suites.folders import table, upwards
from tasklib.pipeline.suites.suite import Preparation

__all__ = [
    "node_folder",
    "node_preparation",
    "node_variables",
    "package",
    "preparation_of",
    "scripts_in",
    "vitest_program",
    "where_installed",
]


def node_folder(tests: Path, top: Path) -> Path | None:
    """The nearest folder from ``tests`` up to ``top`` that has a package.json."""
    return next((folder for folder in upwards(tests, top) if (folder / "package.json").is_file()), None)


def package(folder: Path) -> Mapping[str, Any]:
    """The package.json of ``folder``; ConfigError where it is not a JSON object."""
    path = folder / "package.json"
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from error
    if not isinstance(data, dict):
        raise ConfigError("is not a JSON object", where=str(path))
    return data


def scripts_in(folder: Path) -> Mapping[str, str]:
    """The scripts of the package in ``folder``; none where there is no readable one."""
    try:
        return {name: str(text) for name, text in table(package(folder), "scripts").items()}
    except ConfigError:
        return {}


_STARTS = frozenset({"npm", "npx", "pnpm", "yarn", "bun", "bunx"})


def node_variables(words: Sequence[str]) -> Mapping[str, str]:
    """What a command gets that starts what packages of Node bring: CI keeps watchers among that from waiting.

    >>> node_variables(["sh", "-c", "npm ci && npm test"]), node_variables(["go", "test"])
    ({'CI': 'true'}, {})
    """
    named = any(_STARTS.intersection(re.split(r"[\s;&|/]+", word)) for word in words)
    return {"CI": "true"} if named and "CI" not in os.environ else {}


def vitest_program(folder: Path, top: Path, script: str) -> Path | None:
    """The vitest of the package in ``folder``, which need not be installed yet; ``None`` if it uses another.

    A package uses vitest if it, or one above it, depends on it, unless ``script``, by which it tests, runs
    something else.
    """
    packages = [place for place in upwards(folder, top) if (place / "package.json").is_file()]
    asking = [place for place in packages if "vitest" in _dependencies(package(place))]
    if "vitest" not in script or not asking:
        return None
    programs = [place / "node_modules" / ".bin" / "vitest" for place in packages]
    return next((program for program in programs if program.exists()), programs[packages.index(asking[0])])


def where_installed(argv: Sequence[str]) -> tuple[str, ...]:
    """``argv`` with programs of packages where they are by now: workspaces have theirs in a folder above."""
    return tuple(map(_installed, argv))


def _installed(word: str) -> str:
    """The nearest program of that name, where there is none at the place that was thought of."""
    path = Path(word)
    if path.parts[-3:-1] != ("node_modules", ".bin") or path.exists():
        return word
    found = (folder / "node_modules" / ".bin" / path.name for folder in path.parents[3:])
    return next((str(other) for other in found if other.exists()), word)


def node_preparation(folder: Path, top: Path) -> tuple[Preparation, ...]:
    """The installation of a package.json's dependencies, by the lock file that is there."""
    kinds = {
        "package-lock.json": ("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"),
        "pnpm-lock.yaml": ("pnpm", "install", "--frozen-lockfile"),
        "yarn.lock": ("yarn", "install", "--frozen-lockfile"),
        "bun.lock": ("bun", "install", "--frozen-lockfile"),
    }
    stamps = {"npm": ".package-lock.json", "pnpm": ".modules.yaml", "yarn": ".yarn-integrity", "bun": ""}
    for place in upwards(folder, top):
        for name, argv in kinds.items():
            if (place / name).is_file():
                stamp = place / "node_modules" / stamps[argv[0]]
                return (Preparation((_program(argv[0], folder), *argv[1:]), place, place / name, stamp),)
    source = folder / "package.json"
    if not _dependencies(package(folder)):
        return ()
    install = (_program("npm", folder), "install", "--no-package-lock", "--no-audit", "--no-fund")
    stamp = folder / "node_modules" / ".package-lock.json"
    return (Preparation((*install, "--loglevel=error"), folder, source, stamp),)


_STARTS_SCRIPTS = frozenset({"npm", "npx", "pnpm", "pnpx", "yarn", "bun", "bunx"})


def preparation_of(command: Sequence[str], folder: Path, top: Path) -> tuple[Preparation, ...]:
    """The installation that a script of a package needs in a fresh checkout, which nobody has made there yet.

    Where anything is, or Yarn has it elsewhere, whoever chose the command keeps that up to date, too.
    """
    package_folder = node_folder(folder, top)
    if package_folder is None or Path(command[0]).name not in _STARTS_SCRIPTS:
        return ()
    there = ("node_modules", ".pnp.cjs", ".yarnrc.yml")
    if any((place / name).exists() for place in upwards(package_folder, top) for name in there):
        return ()
    return node_preparation(package_folder, top)


_FROM = {"pnpm": "it (`npm install -g pnpm`)", "yarn": "it (`npm install -g yarn`)", "bun": "Bun"}


def _program(name: str, folder: Path) -> str:
    found = shutil.which(name)
    if found is None:
        raise ConfigError(
            f"its tests need `{name}`, which is not installed",
            where=str(folder / "package.json"),
            remedy=f"Install {_FROM.get(name, 'Node.js, which brings it')}, and run again.",
        )
    return found


def _dependencies(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**table(data, "dependencies"), **table(data, "devDependencies")}

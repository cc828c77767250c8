"""The environment that a folder's Python tests run in: whose tool makes it, and what it holds."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.errors import ConfigError
from tasklib.pipeline.suites.folders import upwards
from tasklib.pipeline.suites.python import pipenv, poetry, uv
from tasklib.pipeline.suites.python.listing import listed
from tasklib.pipeline.suites.python.manifest import Manifest, read_manifest
from tasklib.pipeline.suites.python.requirements import RequirementsFiles, requirements_files
from tasklib.pipeline.suites.python.unread import unread
from tasklib.pipeline.suites.python.workspace import workspace_of
from tasklib.pipeline.suites.suite import OtherPython, Preparation

__all__ = ["PythonEnvironment", "python_environment"]

_PYTEST = ("--with", "pytest")

_TOOLS = {uv.LOCK: "uv", "poetry.lock": "poetry", "pdm.lock": "pdm", pipenv.LOCK: "pipenv"}
"""Whose a lock file is; where there are several, the first counts."""

_SOURCES = "packages of {} are asked of uv's own index, since `pipenv` is not installed"


class PythonEnvironment(Struct, frozen=True):
    """Where Python tests run.

    ``launcher`` is what to put before ``pytest``, ``variables`` are added, ``prepare`` comes first. ``left``
    says of what was found, and is not used, why.
    """

    launcher: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[Preparation, ...] = ()
    left: tuple[str, ...] = ()


def python_environment(
    tests: Path, cwd: Path, top: Path, other: OtherPython | None = None
) -> PythonEnvironment:
    """The environment of the tests in folder ``tests``, which are started in ``cwd``.

    The nearest folder from ``tests`` up to ``top`` (the project's root) that describes an environment
    decides. In it a lock file decides whose tool makes the environment: uv's, Poetry's, PDM's, Pipenv's.
    Where there is none, or its tool is not installed, uv makes one in its cache of all that is listed for
    tests, and writes nothing to the project. pytest is added where that lacks it. Requirements files that lie
    with the tests alone are added to what is above them. With ``other`` it is an environment of that
    Python's, apart from the user's own.

    Raises ConfigError where pyproject.toml or a Pipfile cannot be read, or another tool than uv chooses the
    Python.
    """
    beside: tuple[Path, ...] = ()
    for folder in upwards(tests, top):
        manifest, found = read_manifest(folder), requirements_files(folder)
        if manifest.is_project or manifest.pipfile:
            return _of_project(manifest, found, beside, cwd, other)
        if manifest.has_setup or (found.used and not (folder != cwd and folder.is_relative_to(cwd))):
            enough = found.enough or manifest.says_what_tests_need
            left = _left(found.left) or (() if enough else unread([folder]))
            return _flat(manifest, None, (*found.used, *beside), cwd, left, other)
        beside = (*found.used, *beside)
    left = () if beside else unread(upwards(tests, top))
    return _flat(Manifest(cwd), None, beside, cwd, left, other)


def _of_project(
    manifest: Manifest,
    found: RequirementsFiles,
    beside: tuple[Path, ...],
    cwd: Path,
    other: OtherPython | None,
) -> PythonEnvironment:
    root = workspace_of(manifest.folder)
    enough = manifest.says_what_tests_need or bool(root and root.says_what_tests_need)
    base = () if manifest.installable or manifest.dependencies else found.base
    files = (*base, *(() if enough else found.tests), *beside)
    lock = _lock(manifest)
    pipfile = (manifest.folder / pipenv.FILE,) if manifest.pipfile and lock not in ("", pipenv.LOCK) else ()
    left = _left((*(found.tests if enough else ()), *found.left, *pipfile))
    left = left or (() if enough or found.enough else unread([manifest.folder]))
    with_files = tuple(part for path in files for part in ("--with-requirements", str(path)))
    if lock == uv.LOCK or (not lock and _made_by_uv(manifest) and uv.may_lock((root or manifest).folder)):
        launcher = (*uv.locked(manifest, root, cwd), *with_files, *_PYTEST)
        made = (root or manifest).folder
        if other is None:
            return PythonEnvironment(launcher, _bytecode(made / ".venv"), left=left)
        apart = other.environments / hashlib.sha256(bytes(made)).hexdigest()[:16] / other.version
        variables = {"UV_PROJECT_ENVIRONMENT": str(apart), "UV_PYTHON": other.version}
        return PythonEnvironment(launcher, {**_bytecode(apart), **variables}, left=left)
    if lock:
        tool = _TOOLS[lock]
        program = shutil.which(tool)
        if program and other:
            raise ConfigError(
                f"{tool} makes its environment, so that uv cannot make one of Python {other.version}",
                where=str(manifest.folder / lock),
                remedy="Tell it which Python to use and run the stage without a version.",
            )
        if program:
            return replace(_made_by(tool, program, manifest, lock, cwd), left=left)
        if lock == pipenv.LOCK:  # Its versions are such as uv takes.
            left = (*(_SOURCES.format(host) for host in pipenv.other_sources(manifest.pipfile)), *left)
        else:
            missing = f"{lock} is not used, since `{tool}` is not installed"
            left = (f"{missing}: uv takes the newest versions that pyproject.toml admits", *left)
    return _flat(manifest, root, files, cwd, left, other)


def _lock(manifest: Manifest) -> str:
    """The lock file of the project; where there are several, that of the tool which its settings are for."""
    root = workspace_of(manifest.folder) or manifest
    there = [name for name in _TOOLS if ((root if name == uv.LOCK else manifest).folder / name).is_file()]
    meant = [name for name in there if manifest.tool(_TOOLS[name])]
    return next(iter((*meant, *there)), "")


def _made_by_uv(manifest: Manifest) -> bool:
    """Whether uv reads all that is said of the project."""
    others = manifest.tool("poetry") or manifest.tool("pdm") or manifest.hatch or manifest.pipfile
    return bool(manifest.project or manifest.workspace is not None) and not others


def _made_by(tool: str, program: str, manifest: Manifest, lock: str, cwd: Path) -> PythonEnvironment:
    """The environment that Poetry, PDM or Pipenv keeps, brought up to date before the tests."""
    folder = manifest.folder
    variables: Mapping[str, str] = {}
    if tool == "poetry":
        run: tuple[str, ...] = (program, *(() if folder == cwd else ("--project", str(folder))), "run")
        optional = poetry.optional_groups(manifest.data)
        chosen = [part for name in manifest.test_groups if name in optional for part in ("--with", name)]
        chosen += [part for name in manifest.test_extras for part in ("--extras", name)]
        install = (program, "install", "--no-interaction", *chosen)
    elif tool == "pipenv":
        run, install = (program, "run"), (program, "sync", "--dev")
        variables = {"PIPENV_PIPFILE": str(folder / pipenv.FILE)}
    else:
        run = (program, "run", *(() if folder == cwd else ("--project", str(folder))))
        chosen = [part for name in manifest.test_extras for part in ("--group", name)]
        install = (program, "sync", "--dev", *chosen)
    stamp = folder / ".venv" / "tasklib-installed"
    prepare = (Preparation(install, folder, folder / lock, stamp, marks=True),)
    return PythonEnvironment(run, variables, prepare)


def _flat(
    manifest: Manifest,
    root: Manifest | None,
    files: Iterable[Path],
    cwd: Path,
    left: tuple[str, ...],
    other: OtherPython | None,
) -> PythonEnvironment:
    """An environment that uv makes in its cache."""
    # One that lies in this very folder is the user's own choice; one further up is not.
    alone = other is not None or not (manifest.folder == cwd and (cwd / ".venv").is_dir())
    version = other.version if other else _python(manifest) if alone else ""
    hatch = manifest.hatch
    launcher = uv.flat(listed(manifest, root), files, alone=alone, python=version)
    return PythonEnvironment((*launcher, *_PYTEST), hatch.variables if hatch else {}, left=left)


def _python(manifest: Manifest) -> str:
    """The Python versions that the project admits, unless uv is told a version elsewhere."""
    places = (manifest.folder, *manifest.folder.parents)
    if os.environ.get("UV_PYTHON") or any((place / ".python-version").is_file() for place in places):
        return ""
    asked = manifest.project.get("requires-python") or poetry.python(manifest.data)
    return str(asked or pipenv.python(manifest.pipfile))


def _left(paths: Iterable[Path]) -> tuple[str, ...]:
    names = [
        f"{path.parent.name}/{path.name}" if path.parent.name == "requirements" else path.name
        for path in paths
    ]
    return (f"not used: {', '.join(names)}, since other files list what tests need",) if names else ()


def _bytecode(environment: Path) -> Mapping[str, str]:
    """Variables by which Python keeps what it compiles, where it may not keep it beside the sources.

    Every run would compile what its tests import, and the tests themselves, which pytest rewrites. Inside of
    the environment it is in nobody's way, and goes with it.
    """
    forbidden = os.environ.get("PYTHONDONTWRITEBYTECODE") and not os.environ.get("PYTHONPYCACHEPREFIX")
    if not forbidden or not (environment / "pyvenv.cfg").is_file():
        return {}
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(environment / "bytecode")}

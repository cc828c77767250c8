"""What tests depend on that is not in the checkout's tree: ignored files, variables, versions."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import tasklib
from tasklib.changes.selection import StackFacts
from tasklib.checkout import Checkout, git
from tasklib.project import Project

__all__ = ["rest_of"]

_USED = re.compile(
    r"\.env.*|.+\.env|.+\.lock|.+-lock\.(json|ya?ml)|bun\.lockb|\.npmrc|\.python-version|pyvenv\.cfg"
    r"|\.package-lock\.json|\.modules\.yaml|.+\.(pem|crt|key|p12|jks)"
)
"""Names of files that decide over tests wherever they lie, ignored or not."""

_INSTALLED = (".venv/pyvenv.cfg", "node_modules/.package-lock.json", "node_modules/.modules.yaml")
"""What tells an installed environment from another one."""

_CACHES = frozenset(
    {".git", ".venv", "venv", "node_modules", ".nox", "__pycache__", ".pytest_cache", ".mypy_cache"}
)
"""Folders whose content follows from what else is there."""

_VARIABLE = re.compile(r"\$(?:\{)?([A-Za-z_][A-Za-z0-9_]*)")
_MOST = 5000
"""Ignored files that are read; whoever has more of them in use is never known to be the same."""


def rest_of(
    project: Project, checkout: Checkout, facts: Sequence[StackFacts], env: Mapping[str, str]
) -> str | None:
    """A digest of all that the tests of ``project`` depend on beside the checkout's tree; ``None``: too much.

    It holds the ignored files that stacks, images and environments are made from, those variables of ``env``
    that Compose files name, and the versions of tasklib and Python.
    """
    digest = hashlib.sha256()
    for part in (tasklib.__version__, sys.version):
        digest.update(f"{part}\0".encode())
    for name in sorted(_named(facts)):
        digest.update(f"{name}={env.get(name)!r}\0".encode())
    files = sorted({*_ignored_in_use(project, checkout, facts), *_installed(project)})
    if len(files) > _MOST:
        return None
    for path in files:
        digest.update(f"{path}\0".encode(errors="surrogateescape"))
        digest.update(_content(path))
    return digest.hexdigest()


def _named(facts: Iterable[StackFacts]) -> Iterator[str]:
    """The variables that the Compose files and their env files name."""
    for stack in facts:
        for path in stack.files:
            try:
                text = path.read_text(errors="replace")
            except OSError:
                continue
            yield from _VARIABLE.findall(text)


def _installed(project: Project) -> Iterator[Path]:
    for folder in {project.root, *(service.path for service in project.services)}:
        yield from (folder / name for name in _INSTALLED if (folder / name).is_file())


def _ignored_in_use(project: Project, checkout: Checkout, facts: Sequence[StackFacts]) -> Iterator[Path]:
    """Ignored files that a stack or an image is made from, or whose names say that tests read them."""
    files = {path for stack in facts for path in stack.files}
    services = [compose for stack in facts for compose in stack.services]
    folders = {project.root, *(service.path for service in project.services)}
    suites = [project.unit, project.integration, *(t for s in project.services for t in (s.unit, s.tests))]
    tests = {path for suite in suites if suite for path in suite.paths} - folders
    for path in _ignored(checkout):
        near = path.parent in folders and _USED.fullmatch(path.name)
        beside_tests = any(path.is_relative_to(place) for place in tests)
        if near or beside_tests or path in files or any(service.holds(path) for service in services):
            yield from _below(path)


def _ignored(checkout: Checkout) -> Iterator[Path]:
    """Ignored files, and ignored folders as one."""
    listed = git(
        checkout.root, "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"
    ).stdout
    for name in listed.split("\0"):
        if name.strip("\n") and Path(name).name not in _CACHES:
            yield checkout.root / name


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir() or path.is_symlink():
        yield path
        return
    for parent, folders, names in os.walk(path):
        folders[:] = [name for name in folders if name not in _CACHES]
        yield from (Path(parent, name) for name in names)


def _content(path: Path) -> bytes:
    """What a file holds, as a digest; that it cannot be read counts as a content, too."""
    try:
        if path.is_symlink():
            return os.fsencode(path.readlink())
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        return type(error).__name__.encode()

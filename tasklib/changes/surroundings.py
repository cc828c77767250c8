"""What tests depend on that is not in the checkout's tree: ignored files, variables, versions."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

import tasklib
from tasklib.changes.inputs import read_files
from tasklib.checkout import Checkout, git
from tasklib.project import Environment, Project

__all__ = ["Rest", "differences", "rest_of"]

_LEFT_BEHIND = re.compile(
    r"\.git|\.venv|venv|node_modules|\.nox|\.tox|__pycache__|\.\w+_cache|\.hypothesis|dist|build|target|htmlcov"
    r"|\.next|\.turbo|\.idea|\.vscode|\.DS_Store|.+\.egg-info|\.coverage.*|coverage(\.xml|\.json)?|.+\.(log|pyc|swp)"
    r"|junit.*\.xml"
)
"""Ignored files and folders that runs and tools leave behind; all others may be in use."""

_INSTALLED = (".venv/pyvenv.cfg", "node_modules/.package-lock.json", "node_modules/.modules.yaml")
"""What tells an installed environment from another one."""

_LOCK = re.compile(r"uv\.lock|package-lock\.json")
"""What installing an environment writes where it is missing."""

_VARIABLE = re.compile(r"\$(?:\{)?([A-Za-z_][A-Za-z0-9_]*)")

_MOST = 5000
"""Ignored files that are looked at; whoever has more of them is never known to be the same."""

_VERSIONS = {"python": "Python", "tasklib": "tasklib"}

_LARGE = 1_000_000
"""Bytes from which a file is known by its size and time, not by its content."""


class Rest(Struct, frozen=True):
    """All that tests depend on beside a tree: digests by name; ``installed`` are those that runs make."""

    parts: Mapping[str, str]
    installed: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        whole = "".join(f"{name}\0{part}\0" for name, part in sorted(self.parts.items()))
        return hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest()

    @property
    def told(self) -> dict[str, str]:
        """What tells each part from another one, without showing it: variables may hold secrets."""
        return {name: _short(name, part) for name, part in self.parts.items()}

    def holds_after(self, after: Rest) -> bool:
        """Whether ``after`` is the same, but for environments that a run installed meanwhile."""
        new = after.parts.keys() - self.parts.keys()
        same = all(after.parts.get(name) == part for name, part in self.parts.items())
        return same and new <= after.installed


def differences(before: Mapping[str, str], now: Mapping[str, str], root: Path) -> tuple[str, ...]:
    """What is another one between two :attr:`Rest.told`, in words; files by their place below ``root``."""
    names = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    return tuple(dict.fromkeys(_difference(name, before.get(name), now.get(name), root) for name in names))


def _difference(name: str, before: str | None, now: str | None, root: Path) -> str:
    if name in _VERSIONS:
        return f"it passed with another {_VERSIONS[name]}"
    if name.startswith("$"):
        unset = _short(name, repr(None))
        if before in (None, unset):
            return f"{name} is set" if now not in (None, unset) else f"{name} is named by a Compose file"
        return f"{name} is not set" if now in (None, unset) else f"{name} has another value"
    path = Path(name)
    for place in _INSTALLED:
        if path.parts[-2:] == Path(place).parts:
            return f"{_inside(path.parent, root)} is another environment"
    return f"{_inside(path, root)} {'is new' if before is None else 'is gone' if now is None else 'changed'}"


def _inside(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _short(name: str, part: str) -> str:
    return hashlib.sha256(f"{name}\0{part}".encode(errors="surrogateescape")).hexdigest()[:16]


def rest_of(project: Project, checkout: Checkout, env: Mapping[str, str]) -> Rest | None:
    """What the tests of ``project`` depend on beside the checkout's tree; ``None``: too much to look at.

    That are the ignored files that may be in use, what environments have installed, those variables of
    ``env`` that Compose files name, and the versions of tasklib and Python.
    """
    parts = {"tasklib": tasklib.__version__, "python": sys.version}
    parts |= {f"${name}": repr(env.get(name)) for name in set(_named(project))}
    ignored, installed = set(_ignored(checkout)), set(_installed(project))
    files = sorted(ignored | installed)
    if len(files) > _MOST:
        return None
    made = installed | {path for path in ignored if _LOCK.fullmatch(path.name)}
    parts |= {str(path): _content(path).hex() for path in files}
    return Rest(parts, frozenset(map(str, made)))


def _named(project: Project) -> Iterator[str]:
    """The variables that Compose files of tests and their env files name."""
    files = [*project.compose.get(Environment.TEST, ()), *(project.env_files or ())]
    files += [path for service in project.services for path in service.compose]
    for path in read_files(files, project.root):
        try:
            yield from _VARIABLE.findall(path.read_text(errors="replace"))
        except OSError:
            continue


def _installed(project: Project) -> Iterator[Path]:
    for folder in {project.root, *(service.path for service in project.services)}:
        yield from (folder / name for name in _INSTALLED if (folder / name).is_file())


def _ignored(checkout: Checkout) -> Iterator[Path]:
    """The ignored files that may be in use."""
    asked = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    number = 0
    for name in git(checkout.root, *asked).stdout.split("\0"):
        if not name.strip("\n") or any(_LEFT_BEHIND.fullmatch(part) for part in Path(name).parts):
            continue
        for path in _below(checkout.root / name):
            yield path
            number += 1
            if number > _MOST:
                return


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir() or path.is_symlink():
        yield path
        return
    for parent, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not _LEFT_BEHIND.fullmatch(name)]
        yield from (Path(parent, name) for name in names if not _LEFT_BEHIND.fullmatch(name))


def _content(path: Path) -> bytes:
    """What tells a file's content from another; that it cannot be read counts as a content, too."""
    try:
        if path.is_symlink():
            return os.fsencode(path.readlink())
        facts = path.stat()
        if facts.st_size >= _LARGE:
            return f"{facts.st_size} {facts.st_mtime_ns}".encode()
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError as error:
        return type(error).__name__.encode()

"""Which requirements files of a folder hold what tests need, by their usual names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

__all__ = ["RequirementsFiles", "requirements_files"]

_TESTS = ("test", "tests", "testing")
_DEVELOPMENT = ("dev", "devel", "develop", "development")
_OTHERS = (("local",), ("ci",))
_BASES = ("requirements", "requirements/base", "requirements/main", "requirements/common")
_INCLUDES = re.compile(r"(?m)^\s*(?:-r|--requirement)[\s=]*(\S+)")
_PYTEST = re.compile(r"(?mi)^\s*pytest\b")


class RequirementsFiles(Struct, frozen=True):
    """The files of one folder: ``base`` is what runs, ``tests`` what tests need on top of it or with it.

    ``left`` are others that hold pytest and are not used.
    """

    base: tuple[Path, ...] = ()
    tests: tuple[Path, ...] = ()
    left: tuple[Path, ...] = ()

    @property
    def used(self) -> tuple[Path, ...]:
        return (*self.base, *self.tests)

    @property
    def enough(self) -> bool:
        """Whether those that are used say what tests need."""
        return bool(self.tests) or any(_PYTEST.search(_text(path)) for path in self.base)


def requirements_files(folder: Path) -> RequirementsFiles:
    """The requirements files in ``folder``, in order of preference.

    For tests are those called for tests or development (``requirements-dev.txt``, ``requirements/test.txt``,
    ``dev-requirements.txt`` and the like), all of them; else those called ``local``; else ``ci``. What is to
    run by itself is added unless they include files themselves.
    """
    kinds = [[path for purpose in kind for path in _called(folder, purpose)] for kind in _kinds()]
    chosen = next((kind for kind in kinds if kind), [])
    rest = [path for kind in kinds if kind is not chosen for path in kind]
    included = {found for path in chosen for found in _included(path)}
    base = next((path for name in _BASES for path in _named(folder, name)), None)
    bases = (base,) if base and not included else ()
    left = tuple(path for path in rest if path not in included and _PYTEST.search(_text(path)))
    return RequirementsFiles(bases, tuple(path for path in chosen if path not in included), left)


def _kinds() -> Iterator[tuple[str, ...]]:
    yield (*_TESTS, *_DEVELOPMENT)
    yield from _OTHERS


def _called(folder: Path, purpose: str) -> Iterator[Path]:
    for joint in ("-", "_", ".", "/"):
        yield from _named(folder, f"requirements{joint}{purpose}")
    for joint in ("-", "_"):
        yield from _named(folder, f"{purpose}{joint}requirements")


def _named(folder: Path, name: str) -> Iterator[Path]:
    """The file, or what it is made from where only that is there."""
    for ending in (".txt", ".in"):
        if (path := folder / f"{name}{ending}").is_file():
            yield path
            return


def _included(path: Path) -> Iterator[Path]:
    for name in _INCLUDES.findall(_text(path)):
        yield Path(os.path.normpath(path.parent / name))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

"""What a folder of tests holds, found by the names of its files alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

__all__ = [
    "FULLSTACK",
    "Language",
    "conftests",
    "fullstack_files",
    "is_test",
    "language",
    "loads_plugins_first",
    "mention",
    "script_tests",
    "sources",
    "tests_of_any_kind",
]

FULLSTACK = "fullstack"
"""The pytest marker of a service's tests that need the full stack: they run in the integration stage."""

_SKIPPED = frozenset({"node_modules", "__pycache__", "dist", "build", "site-packages", "vendor", "target"})
_PYTHON_TEST = re.compile(r"test_.*\.py|.*_test\.py")
_SCRIPT_TEST = re.compile(r".*[._-](test|spec)\.[cm]?[jt]sx?")
_MAYBE_TEST = re.compile(r".*[_-]test\.[cm]?[jt]sx?")
"""Beside tests in Python these are mostly scripts of other tools: ``load-test.js`` of k6."""

_OF_K6 = re.compile(rb"""(from|require\()\s*['"]k6['"/]""")
"""What measures a server under load and is no test of any runner."""

_SCRIPT = re.compile(r".*\.[cm]?[jt]sx?")
_SOURCE = re.compile(r".*\.([cm]?[jt]sx?|py|go|rb|java|kt|cs|php|exs|json|ya?ml|toml|ini)")
_CALLED = re.compile(r"/(tests?|__tests__)(/|$)")

_OTHER_TEST = re.compile(
    r".*_test\.(go|rb|exs|dart|cc|cpp|clj|ml|sh)|.*_spec\.(rb|lua)|.*Spec\.(scala|groovy|kt|hs)"
    r"|.*(Test|Tests|IT)\.(java|kt|scala|cs|fs|php|swift|groovy)|.*\.cy\.[jt]sx?"
    r"|tests\.py|.*\.(feature|bats|robot|hurl)|test_.*\.sh"
)
_IN_A_FOLDER = re.compile(r"(.*/)?(tests/[^/]*\.rs|t/[^/]*\.t)")
"""Tests by the folder that they are in: Rust's and Perl's."""

_WITHIN = re.compile(rb"#\[(cfg\(test\)|(\w+::)?test\b)")
"""Rust's tests inside of what they test."""

_SETTINGS = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
"""Where pytest looks for its settings, in the folder of the tests and in those above it."""

_PLUGIN = re.compile(rb"""(?<![\w-])-p[\s"',=]*(?!no:)\w""")


class Language(StrEnum):
    PYTHON = "python"
    SCRIPT = "script"
    """JavaScript or TypeScript."""
    BOTH = "both"
    NONE = "none"


def language(folder: Path, *, without: tuple[Path, ...] = ()) -> Language:
    """The language of the tests in ``folder`` (or of that one file), leaving out the folders in ``without``.

    Files named as tests decide; where there are none, any Python file makes it Python (a project may have
    patterns of its own), but in a package of Node, beside which a noxfile.py may lie: there a conftest.py
    does, or what Django calls its tests.
    """
    python = script = maybe = anything = False
    in_package = (folder / "package.json").is_file()
    for path in _tests(folder, without):
        python = python or bool(_PYTHON_TEST.fullmatch(path.name))
        if _SCRIPT_TEST.fullmatch(path.name) and not _measures(path):
            maybe = maybe or bool(_MAYBE_TEST.fullmatch(path.name))
            script = script or not _MAYBE_TEST.fullmatch(path.name)
        anything = anything or (
            path.name in ("conftest.py", "tests.py") if in_package else path.suffix == ".py"
        )
        if python and script:
            return Language.BOTH
    if script or (maybe and not python):
        return Language.SCRIPT
    return Language.PYTHON if python or anything else Language.NONE


def is_test(path: Path) -> bool:
    """Whether a file of this name is a test that is run without a command of the project's own."""
    return bool(_PYTHON_TEST.fullmatch(path.name) or _SCRIPT_TEST.fullmatch(path.name)) or (
        "__tests__" in path.parts and bool(_SCRIPT.fullmatch(path.name))
    )


def tests_of_any_kind(place: Path) -> Iterator[Path]:
    """The files below ``place`` that some language's habits call tests."""
    for path in _files(place, ()):
        named = is_test(path) or _OTHER_TEST.fullmatch(path.name) or _IN_A_FOLDER.fullmatch(path.as_posix())
        if (named and not _measures(path)) or (path.suffix == ".rs" and _WITHIN.search(_read(path))):
            yield path


def _measures(path: Path) -> bool:
    return bool(_MAYBE_TEST.fullmatch(path.name) and _OF_K6.search(_read(path)))


def sources(place: Path) -> Iterator[Path]:
    """The source files of tests in the folder ``place`` (or that one file), with what these share."""
    return (path for path in _tests(place, ()) if _SOURCE.fullmatch(path.name))


def script_tests(place: Path, without: tuple[Path, ...] = ()) -> tuple[Path, ...]:
    """The JavaScript and TypeScript tests in the folder ``place`` (or that one file), but not in ``without``.

    In a folder that is called for its tests every script is one.
    """
    if place.is_file():
        return (place,)
    files = [path for path in _files(place, without) if _SCRIPT.fullmatch(path.name)]
    named = [path for path in files if _SCRIPT_TEST.fullmatch(path.name)]
    return tuple(named or (files if _CALLED.search(place.as_posix()) else ()))


def fullstack_files(tests: Iterable[Path]) -> tuple[Path, ...]:
    """Test files of ``tests`` that mention the marker ``fullstack``, without starting any process.

    A conftest.py that mentions it stands for its whole folder. Empty where nothing does.
    """
    word = re.compile(rb"\b" + FULLSTACK.encode() + rb"\b")
    found: list[Path] = []
    for path in (path for place in tests for path in _tests(place, ())):
        named = path.name == "conftest.py" or (path.suffix == ".py" and "test" in path.name)
        if named and word.search(_read(path)):
            found.append(path.parent if path.name == "conftest.py" else path)
    folders = {path for path in found if path.is_dir()}
    return tuple(sorted({path for path in found if not folders.intersection(path.parents)}))


def mention(tests: Iterable[Path], words: Iterable[str], top: Path) -> bool:
    """Whether a Python file of ``tests``, or a conftest.py above them up to ``top``, has one of ``words``."""
    word = re.compile(rb"\b(?:" + b"|".join(re.escape(word.encode()) for word in words) + rb")\b")
    places = tuple(tests)
    above = {
        folder / "conftest.py" for place in places for folder in place.parents if folder.is_relative_to(top)
    }
    files = (path for place in places for path in _tests(place, ()) if path.suffix == ".py")
    return any(word.search(_read(path)) for path in (*above, *files))


def conftests(tests: Iterable[Path]) -> Iterator[Path]:
    """The conftest.py files in ``tests`` (folders or files, absolute) and in every folder above them."""
    for place in tests:
        yield from (path for path in _tests(place, ()) if path.name == "conftest.py")
        yield from (path for folder in place.parents if (path := folder / "conftest.py").is_file())


def loads_plugins_first(tests: Path, arguments: Sequence[str], addopts: str) -> bool:
    """Whether pytest may load plugins before those that its command line names: what ``-p`` names elsewhere.

    ``arguments`` are the user's own, ``addopts`` is PYTEST_ADDOPTS. Settings are read from the folder
    ``tests`` upwards. Where it is not sure, it does.
    """
    if any(word.startswith(("-c", "--config-file")) for word in arguments):
        return True
    texts = (_read(folder / name) for folder in (tests, *tests.parents) for name in _SETTINGS)
    return any(_PLUGIN.search(text) for text in (addopts.encode(), *texts))


def _tests(place: Path, without: tuple[Path, ...]) -> Iterator[Path]:
    """The files of ``place``, or that one file."""
    return iter((place,)) if place.is_file() else _files(place, without)


def _files(folder: Path, without: tuple[Path, ...]) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED and not name.startswith(".") and here / name not in without
        )
        for name in sorted(names):
            yield here / name


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""

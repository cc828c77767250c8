"""Where a failure of a JUnit report is: its writers seldom say, but what they say of it does."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from tasklib.pipeline.suites.suite import Suite
from tasklib.results import TestOutcome, TestResult

__all__ = ["placed"]

_PLACE = re.compile(
    r"""File\ "(?P<python>[^"\n]+)",\ line\ (?P<at>\d{1,9})"""
    r"""|(?<![\w./@+~-])(?P<file>(?:file://)?[\w./@+~-]{0,300}[\w-]\.[A-Za-z]\w{0,4})"""
    r""":(?:line\ )?(?P<line>\d{1,9})(?!\d)""",
    re.VERBOSE,
)
"""``total_test.go:9``, ``(/app/a.test.js:3:20)``, ``Cart.cs:line 12``, ``File "tests.py", line 4``."""

_LIBRARY = re.compile(r"(^|/)(node_modules|site-packages|dist-packages|vendor|\.cargo|rustc|gems)/|<|node:")
_SOURCES = ("src/test/java", "src/test/kotlin", "src/test/groovy", "src/test/scala")
_MOST = 400
"""Places that are looked at: the failure's own is among the first or the last."""


def placed(result: TestResult, suite: Suite) -> TestResult:
    """A failed result with the file and the line of its failure, where what is said of it names them.

    A place is a file that exists below the target's folder. The test's own file comes first, else the first
    one named; a file that the report gives is kept where none is named.
    """
    if result.outcome not in (TestOutcome.FAILED, TestOutcome.ERROR):
        return result
    folders = tuple(_folders(result, suite.cwd))
    own = _found(result.file, folders, suite) if result.file else None
    named = [
        (path, line)
        for name, line in _named(f"{result.message}\n{result.detail}")
        if (path := _found(name, folders, suite))
    ]
    best = next((place for place in named if own in (None, place[0])), None)
    if best is None:
        return replace(result, file=os.path.relpath(own, suite.folder)) if own else result
    return replace(result, file=os.path.relpath(best[0], suite.folder), line=best[1])


def _named(text: str) -> Iterator[tuple[str, int]]:
    """Each file that the text names, with its line."""
    found = list(_PLACE.finditer(text))
    for match in found[:_MOST]:
        name = match["python"] or match["file"].removeprefix("file://")
        yield name, int(match["at"] or match["line"])


def _folders(result: TestResult, cwd: Path) -> Iterator[Path]:
    """What names of files may be relative to: Go names them by the package, Java's runners by the class."""
    yield cwd
    name = result.id.split("::", 1)[0]
    parts = name.split("/")
    for start in range(len(parts)):
        yield cwd.joinpath(*parts[start:])
    package = name.split(".")[:-1]
    for sources in _SOURCES:
        yield cwd.joinpath(sources, *package)


def _found(name: str, folders: tuple[Path, ...], suite: Suite) -> Path | None:
    """The file of that name, if it is the target's own."""
    if _LIBRARY.search(name) or "\0" in name:
        return None
    names = [name]
    if suite.inside:
        # There the folder that is ours is called otherwise.
        parts = Path(name).parts
        names += ["/".join(parts[start:]) for start in range(1, len(parts) - 1)]
    for folder in folders:
        for one in names:
            path = Path(os.path.normpath(folder / one))
            if path.is_relative_to(suite.folder) and _is_file(path):
                return path
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any file's, or a folder of somebody else's
        return False

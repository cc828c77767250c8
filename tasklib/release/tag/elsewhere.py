"""PURE: where a version is written beside the files that a release edits: none stays behind unseen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

__all__ = ["FILES", "PATTERN", "Mention", "mentions", "staying_behind"]

FILES = (
    *("__init__.py", "__about__.py", "__version__.py", "_version.py", "version.py", "setup.py", "setup.cfg"),
    *("pyproject.toml", ".bumpversion.cfg", ".bumpversion.toml", ".cz.toml", ".cz.json", ".cz.yaml"),
    *("package.json", "Cargo.toml", "Chart.yaml", "pom.xml", "gradle.properties", "build.gradle"),
    *("build.gradle.kts", "composer.json", "mix.exs", "pubspec.yaml", "CITATION.cff", "version.go"),
    *("version.rb", "VERSION", "VERSION.txt", "version.txt", "conf.py", "sonar-project.properties"),
    ".release-please-manifest.json",
)
"""The files in which projects write their version by hand, or which the tools that raise it keep."""

PATTERN = "version|^[^0-9]*[0-9]+[.][0-9]+"
"""What git looks for in them: without regard to case, as an extended regular expression."""

_SAYS = r"(?i)(?:version[^0-9]{{0,20}}|^\W*v?|\"\.\": *\"){}(?![\w.+-]*[\w])"


class Mention(Struct, frozen=True):
    """A line that may state a version: ``path`` relative to the top folder, ``line`` counted from 1."""

    path: Path
    line: int
    text: str


def mentions(grep: str) -> tuple[Mention, ...]:
    """What ``git grep -z --line-number`` found."""
    found = (row.split("\0", 2) for row in grep.split("\n") if row.count("\0") >= 2)
    return tuple(Mention(Path(path), int(line), text) for path, line, text in found if line.isdigit())


def staying_behind(
    found: Iterable[Mention], versions: Iterable[str], edited: Mapping[Path, str]
) -> tuple[str, ...]:
    """The places (``src/shop/__init__.py:1``) that state one of ``versions`` also after the release.

    ``edited`` are the new texts of files, by their paths relative to the top folder.
    """
    one = "|".join(re.escape(version) for version in dict.fromkeys(versions))
    says = re.compile(_SAYS.format(f"(?:{one})"))
    return tuple(
        f"{mention.path.as_posix()}:{mention.line}"
        for mention in found
        if says.search(_line(mention, edited.get(mention.path)))
    )


def _line(mention: Mention, edited: str | None) -> str:
    """The line as the release leaves it."""
    if edited is None:
        return mention.text
    return next(iter(edited.split("\n")[mention.line - 1 : mention.line]), "")

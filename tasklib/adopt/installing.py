"""PURE: what a command installs for tests."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from tasklib.adopt.actions import Install
from tasklib.adopt.evidence import Command
from tasklib.adopt.shell import joined

__all__ = ["installation"]

_VALUED = frozenset(
    {"-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-t", "--target"}
    | {"-f", "--find-links", "--python", "-p", "--cache-dir", "--group", "--no-binary", "--only-binary"}
)
_EXTRAS = re.compile(r"(\.[\w./-]*)\[([\w,. -]+)\]")
_PACKAGE = re.compile(r"(?P<name>[A-Za-z][\w.-]*)(?:\[[\w,. -]+\])?(?:\s*[<>=!~]=?.*)?")
_TOOLS = re.compile(
    r"pip|setuptools|wheel|build|virtualenv|poetry|pdm|pipenv|hatch|uv|tox.*|nox.*|twine|pre-commit|ruff|black"
    r"|isort|flake8|mypy|codecov|coveralls|pytest-github-actions.*|tasklib.*"
)
"""What makes environments, or looks at code and results: tests need none of it."""


def installation(command: Command) -> Install | None:
    """What ``command`` has pip or uv install, if it does."""
    words = command.words
    before = words[: words.index("install")] if "install" in words else ()
    if not any(re.fullmatch(r"(.*/)?pipx?[\d.]*", word) for word in before[-4:]):
        return None
    told = words[words.index("install") + 1 :]
    files = tuple(
        joined(command.folder, value) for name, value in _pairs(told) if name in ("-r", "--requirement")
    )
    plain = [*_plain(told)]
    named = [found for word in plain if (found := _EXTRAS.fullmatch(word))]
    packages = tuple(
        word for word in plain if (found := _PACKAGE.fullmatch(word)) and not _TOOLS.fullmatch(found["name"])
    )
    groups = tuple(value.rpartition(":")[2] for name, value in _pairs(told) if name == "--group")
    if not files and not named and not packages and not groups:
        return None
    extras = tuple(part.strip() for part in named[0][2].split(",")) if named else ()
    folder = joined(command.folder, named[0][1]) if named else command.folder if groups else ""
    return Install(command.place, files, extras, folder, packages, groups)


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from itertools.pairwise(words)
    yield from (("-r", word[2:]) for word in words if re.match(r"-r[^=]", word))


def _plain(words: Sequence[str]) -> Iterator[str]:
    """The words that are no options, and no values of any."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _VALUED
        elif "$" not in word:
            yield word

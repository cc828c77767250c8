"""PURE: where a package's tests are, and what it is called."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from tasklib.adopt.evidence import Evidence
from tasklib.adopt.shell import joined

__all__ = ["folders_of_tests", "service_name"]

_UNSAID = ("app", "src", "code", "test", "tests")
"""Folders that say nothing of what they hold."""


def folders_of_tests(
    folder: str, evidence: Evidence, standard: str, *, python: bool = True
) -> tuple[str, ...]:
    """Where a runner looks when it is told nothing: pytest's ``testpaths``, or the folders that hold tests.

    Where there are the two of the standard layout, it is ``tests/<standard>``.
    """
    if python and (told := tuple(_testpaths(folder, evidence))):
        return told
    others = [f"{other}/" for other in evidence.manifests if other and other != folder]
    below = [
        file
        for file in evidence.tests
        if (not folder or file.startswith(f"{folder}/"))
        and file.endswith(".py") is python
        and not any(file.startswith(other) for other in others if not f"{folder}/".startswith(other))
    ]
    tops = {posixpath.relpath(file, folder or ".").split("/")[0] for file in below}
    if not tops and not python:  # In a folder that is called for its tests every script is one.
        named = [joined(folder, name) for name in ("test", "tests", "__tests__")]
        there = [path for path in named if any(file.startswith(f"{path}/") for file in evidence.files)]
        return tuple(posixpath.relpath(path, folder or ".") for path in there)
    if tops == {"tests"}:
        inner = {"/".join(posixpath.relpath(f, folder or ".").split("/")[:2]) for f in below}
        if inner <= {"tests/unit", "tests/integration"}:
            return (f"tests/{standard}",) if f"tests/{standard}" in inner else ("tests",)
    return tuple(sorted(tops))


def _testpaths(folder: str, evidence: Evidence) -> Iterator[str]:
    for name in ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"):
        text = evidence.texts.get(joined(folder, name), "")
        if found := re.search(r"(?m)^\s*testpaths\s*=\s*(\[[^\]]*\]|.+(?:\n[ \t]+\S.*)*)", text):
            for word in re.findall(r"[\w./-]+", found[1]):
                if any(f.startswith(f"{joined(folder, word)}/") for f in evidence.tests):
                    yield word.rstrip("/")
            return


def service_name(folder: str, folders: Iterable[str]) -> str:
    """What the service of a folder is called; where two would be the same, by their whole paths."""
    name = _said(folder)
    same = [other for other in folders if _said(other) == name]
    return name if len(same) < 2 else folder.replace("/", "-")


def _said(folder: str) -> str:
    """The last part of a path that says what is in it: ``shop/app`` and ``shop/tests`` are the shop."""
    parts = folder.split("/")
    while len(parts) > 1 and parts[-1] in _UNSAID:
        parts.pop()
    return parts[-1]

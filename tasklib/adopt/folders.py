"""PURE: where a package's tests are."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from tasklib.adopt.evidence import Evidence
from tasklib.adopt.shell import joined

__all__ = ["test_folders"]


def test_folders(folder: str, evidence: Evidence, standard: str) -> tuple[str, ...]:
    """Where pytest looks when it is told nothing: ``testpaths``, or the folders that hold tests.

    Where there are the two of the standard layout, it is ``tests/<standard>``.
    """
    if told := tuple(_testpaths(folder, evidence)):
        return told
    below = [f for f in evidence.tests if not folder or f.startswith(f"{folder}/")]
    tops = {posixpath.relpath(file, folder or ".").split("/")[0] for file in below if file.endswith(".py")}
    if tops == {"tests"}:
        inner = {"/".join(posixpath.relpath(f, folder or ".").split("/")[:2]) for f in below}
        if inner <= {"tests/unit", "tests/integration"}:
            return (f"tests/{standard}",) if f"tests/{standard}" in inner else ("tests",)
    return tuple(sorted(tops))


test_folders.__test__ = False  # type: ignore[attr-defined]


def _testpaths(folder: str, evidence: Evidence) -> Iterator[str]:
    for name in ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"):
        text = evidence.texts.get(joined(folder, name), "")
        if found := re.search(r"(?m)^\s*testpaths\s*=\s*(\[[^\]]*\]|.+(?:\n[ \t]+\S.*)*)", text):
            for word in re.findall(r"[\w./-]+", found[1]):
                if any(f.startswith(f"{joined(folder, word)}/") for f in evidence.tests):
                    yield word.rstrip("/")
            return

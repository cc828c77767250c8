"""PURE: package.json → a recipe for each of its scripts."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator

from tasklib.adopt.evidence import Kind, Recipe
from tasklib.adopt.shell import commands

__all__ = ["read_package"]


def read_package(file: str, text: str) -> Iterator[Recipe]:
    """The scripts of a package.json; none of one that cannot be read, or that says there are no tests."""
    try:
        scripts = json.loads(text).get("scripts") or {}
        found = {str(name): str(script) for name, script in scripts.items()}
    except (ValueError, AttributeError, RecursionError):
        return
    folder = posixpath.dirname(file)
    for name, script in found.items():
        if "no test specified" in script:
            continue
        line = _line(text, name)
        ran = tuple(commands([(line, script)], file, folder))
        yield Recipe(Kind.PACKAGE, file, name, line, line, ran, (), folder)


def _line(text: str, key: str) -> int:
    after = text.find('"scripts"')
    found = re.compile(rf"{re.escape(json.dumps(key))}\s*:").search(text, max(after, 0))
    return text.count("\n", 0, found.start()) + 1 if found else 1

"""PURE: shell scripts → a recipe for the script, and one for each of its functions."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from tasklib.adopt.evidence import Kind, Recipe
from tasklib.adopt.shell import commands

__all__ = ["read_script"]

_FUNCTION = re.compile(
    r"\s*(?:function\s+)?(?P<name>[\w:.-]+)\s*\(\)\s*\{?\s*(?:#.*)?|\s*function\s+(?P<bare>[\w:.-]+)\s*\{?\s*"
)
_SETTING = re.compile(
    r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)=(?P<value>\"[^\"$`]*\"|'[^']*'|[^\s\"'$`;&|]+)\s*(?:#.*)?"
)
_WITH_DEFAULT = re.compile(
    r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)=\"?\$\{(?P=name):?[-=](?P<value>[^}]*)\}\"?\s*"
)


def read_script(file: str, text: str) -> Iterator[Recipe]:
    """What the script does, without what its functions would do; and these, by their names.

    It is thought to be started in the repository's top folder, as scripts mostly are.
    """
    lines = text.splitlines()
    outside: list[tuple[int, str]] = []
    functions: list[tuple[str, int, int]] = []
    known: dict[str, str] = {}
    at = 0
    while at < len(lines):
        found = _FUNCTION.fullmatch(lines[at])
        opens = found and ("{" in lines[at] or (at + 1 < len(lines) and lines[at + 1].strip() == "{"))
        if found and opens:
            end = next((n for n in range(at + 1, len(lines)) if lines[n].rstrip() == "}"), len(lines) - 1)
            functions.append((found["name"] or found["bare"], at + 1, end + 1))
            at = end + 1
            continue
        for pattern in (_WITH_DEFAULT, _SETTING):
            if setting := pattern.fullmatch(lines[at]):
                known.setdefault(setting["name"], setting["value"].strip("\"'"))
        outside.append((at + 1, lines[at]))
        at += 1
    ran = tuple(commands(outside, file, known=known))
    yield Recipe(Kind.SCRIPT, file, posixpath.basename(file), 1, len(lines), ran)
    for name, first, last in functions:
        body = [(number + 1, lines[number]) for number in range(first, last - 1)]
        ran = tuple(commands(body, file, known=known))
        yield Recipe(Kind.FUNCTION, file, name, first, last, ran)

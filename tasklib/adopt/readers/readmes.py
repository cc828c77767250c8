"""PURE: what a README tells people to type → one recipe of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from tasklib.adopt.evidence import Command, Kind, Recipe
from tasklib.adopt.shell import commands

__all__ = ["in_the_clone", "read_readme"]

_FENCE = re.compile(r"\s*(```|~~~)\s*(?P<language>[\w-]*)\s*")
_SHELLS = frozenset({"", "sh", "bash", "shell", "zsh", "console", "shell-session", "terminal"})
_PROMPT = re.compile(r"\s*(?:\([\w.-]+\)\s*)?[$>%]\s+")


def read_readme(file: str, text: str) -> Iterator[Recipe]:
    """The commands of its blocks of shell, in their order; of a block with prompts what stands behind one."""
    found: list[tuple[int, str]] = []
    block: list[tuple[int, str]] | None = None
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if fence := _FENCE.fullmatch(line):
            if block is None:
                block = [] if fence["language"].lower() in _SHELLS else None
                block = block if block is not None else [(0, "")]
            else:
                found += [] if block[:1] == [(0, "")] else _typed(block)
                block = None
        elif block is not None:
            block.append((number, line))
    ran = tuple(commands(found, file))
    if ran:
        yield Recipe(Kind.README, file, file, 1, len(lines), ran)


def _typed(block: list[tuple[int, str]]) -> list[tuple[int, str]]:
    prompted = [(number, line[found.end() :]) for number, line in block if (found := _PROMPT.match(line))]
    return prompted or block


def in_the_clone(recipe: Recipe, tops: frozenset[str]) -> Recipe:
    """``recipe`` as it goes on in the repository, whose folders and files are ``tops``.

    Somebody who has nothing yet is told to clone it and to go into that folder.
    """

    def there(command: Command) -> Command:
        top, _, rest = command.folder.partition("/")
        return command if not top or top in tops else replace(command, folder=rest)

    return replace(recipe, commands=tuple(map(there, recipe.commands)))

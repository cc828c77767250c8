"""PURE: which recipes of the repository a command starts: targets, scripts, functions, environments."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator

from tasklib.adopt.evidence import Command, Evidence, Kind, Recipe
from tasklib.adopt.shell import joined
from tasklib.adopt.testing import plain_words

__all__ = ["called"]


def called(command: Command, evidence: Evidence, *, within: bool) -> Iterator[tuple[Recipe, tuple[str, ...]]]:
    """The recipes of the repository that ``command`` starts, with what it gives them.

    ``within``: it stands in a recipe itself, whose file's functions it may call.
    """
    _, words = plain_words(command.words)
    if not words:
        return
    program, rest = posixpath.basename(words[0]), list(words[1:])
    folder = command.folder
    if within and (function := evidence.recipe(Kind.FUNCTION, words[0], command.place.file)):
        yield function, tuple(rest)
    elif program in ("make", "gmake", "just"):
        yield from _targets(program, rest, folder, evidence)
    elif program in ("npm", "pnpm", "yarn", "bun"):
        yield from _scripts(program, rest, folder, evidence)
    elif program in ("tox", "nox"):
        yield from _environments(program, rest, evidence)
    else:
        name = (
            words[0]
            if program not in ("bash", "sh", "zsh", "source", ".")
            else next((word for word in rest if not word.startswith("-")), "")
        )
        arguments = tuple(rest if name == words[0] else rest[rest.index(name) + 1 :]) if name else ()
        if found := _script(name, folder, evidence):
            function = evidence.recipe(Kind.FUNCTION, arguments[0], found.file) if arguments else None
            if function:
                yield function, arguments[1:]
            else:
                yield found, arguments


def _script(name: str, folder: str, evidence: Evidence) -> Recipe | None:
    """The script at a path; in a container the folders before it may be others."""
    if not name or "$" in name:
        return None
    if "/" not in name and not name.endswith(".sh"):
        return None  # a program of the PATH
    wanted = joined(folder, name)
    scripts = [recipe for recipe in evidence.recipes if recipe.kind is Kind.SCRIPT]
    exact = next((recipe for recipe in scripts if recipe.file == wanted), None)
    if exact:
        return exact
    if not posixpath.isabs(name):
        return None
    # In a container the folders before it may be others.
    alike = [(_common_end(recipe.file, name), len(recipe.file), recipe) for recipe in scripts]
    common, _, best = max(alike, key=lambda found: found[:2], default=(0, 0, None))
    return best if common else None


def _common_end(path: str, other: str) -> int:
    """How many parts at the ends of two paths are the same."""
    pairs = zip(reversed(path.split("/")), reversed(other.split("/")), strict=False)
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _targets(
    program: str, rest: list[str], folder: str, evidence: Evidence
) -> Iterator[tuple[Recipe, tuple[str, ...]]]:
    kind = Kind.JUST if program == "just" else Kind.MAKE
    names: list[str] = []
    skip = False
    for index, word in enumerate(rest):
        if skip:
            skip = False
        elif word in ("-C", "-f", "--directory", "--file", "-d"):
            skip = True
            if word in ("-C", "--directory", "-d") and index + 1 < len(rest):
                folder = joined(folder, rest[index + 1])
        elif not word.startswith("-") and "=" not in word:
            names.append(word)
    here = [r for r in evidence.recipes if r.kind is kind and r.folder == folder]
    if not names and here:
        names = [here[0].name]
    for name in names:
        found = next((recipe for recipe in here if recipe.name == name), None)
        if found:
            yield found, ()


def _scripts(
    program: str, rest: list[str], folder: str, evidence: Evidence
) -> Iterator[tuple[Recipe, tuple[str, ...]]]:
    words: list[str] = []
    skip = False
    for index, word in enumerate(rest):
        if skip:
            skip = False
        elif word in ("--prefix", "--cwd", "-C", "--dir"):
            folder, skip = joined(folder, rest[index + 1] if index + 1 < len(rest) else "."), True
        elif word in ("-w", "--workspace", "-F", "--filter"):
            skip = True
        elif word == "--":
            break
        elif not word.startswith("-"):
            words.append(word)
    if words[:1] == ["workspace"]:
        words = words[2:]
    name = (
        words[1] if words[:1] in (["run"], ["run-script"]) and len(words) > 1 else words[0] if words else ""
    )
    name = {"t": "test", "tst": "test"}.get(name, name)
    if name in ("run", "install", "ci", "i", "add", "exec", "build") and program != "yarn":
        return
    file = posixpath.join(folder, "package.json")
    for chosen in (f"pre{name}", name):
        if found := evidence.recipe(Kind.PACKAGE, chosen, file):
            yield found, ()


def _environments(
    program: str, rest: list[str], evidence: Evidence
) -> Iterator[tuple[Recipe, tuple[str, ...]]]:
    kind = Kind.TOX if program == "tox" else Kind.NOX
    flags = ("-e", "run-parallel") if program == "tox" else ("-s", "--session", "--sessions")
    named: list[str] = []
    for index, word in enumerate(rest):
        if word in flags:
            named = [part for one in rest[index + 1 :] if not one.startswith("-") for part in one.split(",")]
            break
    own = [recipe for recipe in evidence.recipes if recipe.kind is kind]
    for recipe in own:
        fits = recipe.name in named or (recipe.name == "testenv" and any(re.match(r"py", n) for n in named))
        if fits or not named:
            yield recipe, ()

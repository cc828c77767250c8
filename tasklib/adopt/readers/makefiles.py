"""PURE: Makefiles and justfiles → a recipe for each target."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

from tasklib.adopt.evidence import Kind, Recipe
from tasklib.adopt.shell import commands

__all__ = ["included", "read_justfile", "read_makefile"]

_SET = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][\w-]*)\s*(?::{0,3}|\?|\+)=\s*(?P<value>.*)")
_TARGET = re.compile(r"(?P<names>[^\s:=#][^:=#]*?)\s*::?(?!=)(?P<needs>[^=;#]*)(?:;(?P<inline>.*))?(?:#.*)?")
_SPECIAL = re.compile(r"\.([A-Z_]+\b|\w+(\.\w+)?\s*:)")
"""What is no target: make's own words, and rules for suffixes."""

_REFERENCE = re.compile(r"\$[({](?P<name>[\w-]+)[)}]")
_JUST_SET = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][\w-]*)\s*:=\s*(?P<value>.*)")
_JUST_RECIPE = re.compile(r"@?(?P<name>[A-Za-z_][\w-]*)(?P<parameters>[^:=]*):(?!=)(?P<needs>[^#]*)(?:#.*)?")


def included(text: str) -> Iterator[str]:
    """The paths of the Makefiles that one includes, as they are written."""
    for found in re.finditer(r"(?m)^-?include[ \t]+(.+)$", text):
        yield from (word for word in found[1].split("#")[0].split() if "$" not in word)


def read_makefile(file: str, text: str, home: str | None = None) -> Iterator[Recipe]:
    """The targets of a Makefile with their commands; of conditional parts all, in their order.

    ``home`` is the folder they start in: the Makefile's own, but for one that another includes.
    """
    folder = posixpath.dirname(file) if home is None else home
    variables = {"MAKE": "make", "CURDIR": ".", "PWD": "."}
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        if setting := _SET.fullmatch(line.split(" #")[0].rstrip()):
            value = setting["value"]
            while value.endswith("\\") and at + 1 < len(lines):
                at += 1
                value = f"{value[:-1].rstrip()} {lines[at].strip()}"
            variables.setdefault(setting["name"], _filled(value.removesuffix("\\").strip(), variables))
        elif (found := _TARGET.fullmatch(line)) and not line[0].isspace() and not _SPECIAL.match(line):
            end = at + 1
            while end < len(lines) and (lines[end].startswith("\t") or not lines[end].strip()):
                end += 1
            while end > at + 1 and not lines[end - 1].strip():
                end -= 1
            body = [(number + 1, _unprefixed(lines[number])) for number in range(at + 1, end)]
            if found["inline"]:
                body.insert(0, (at + 1, _unprefixed(found["inline"])))
            filled = [(number, _filled(one, variables)) for number, one in body]
            needs = tuple(_filled(found["needs"], variables).replace("|", " ").split())
            for name in _filled(found["names"], variables).split():
                ran = tuple(commands(filled, file, folder, each_alone=True))
                yield Recipe(Kind.MAKE, file, name, at + 1, end, ran, needs, folder)
            at = end - 1
        at += 1


def read_justfile(file: str, text: str) -> Iterator[Recipe]:
    """The recipes of a justfile with their commands."""
    folder = posixpath.dirname(file)
    variables: dict[str, str] = {}
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        if setting := _JUST_SET.fullmatch(line):
            variables[setting["name"]] = setting["value"].strip("\"' ")
        elif (found := _JUST_RECIPE.fullmatch(line)) and not line[0].isspace():
            end = at + 1
            while end < len(lines) and (lines[end][:1].isspace() or not lines[end].strip()):
                end += 1
            while end > at + 1 and not lines[end - 1].strip():
                end -= 1
            body = [
                (
                    number + 1,
                    re.sub(r"\{\{\s*([\w-]+)\s*\}\}", _just_value(variables), _unprefixed(lines[number])),
                )
                for number in range(at + 1, end)
            ]
            alone = not (body and body[0][1].startswith("#!"))
            ran = tuple(commands(body, file, folder, each_alone=alone))
            needs = tuple(re.findall(r"\(?([A-Za-z_][\w-]*)[^)\s]*\)?", found["needs"]))
            yield Recipe(Kind.JUST, file, found["name"], at + 1, end, ran, needs, folder)
            at = end - 1
        at += 1


def _just_value(variables: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    return lambda found: variables.get(found[1], f"${found[1]}")


def _unprefixed(line: str) -> str:
    """Without what make and just read before the command itself."""
    return line.strip().lstrip("@-+")


def _filled(text: str, variables: Mapping[str, str]) -> str:
    for _ in range(4):
        replaced = _REFERENCE.sub(lambda found: variables.get(found["name"], f"${found['name']}"), text)
        if replaced == text:
            break
        text = replaced
    # What make asks a shell is asked by the command's own, as far as it is understood.
    return re.sub(r"\$\(shell ([^()]*)\)", r"$(\1)", text).replace("$$", "$")

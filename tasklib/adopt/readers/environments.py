"""PURE: tox.ini, tox.toml, [tool.tox] and noxfile.py → a recipe for each environment or session."""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
import shlex
import tomllib
from collections.abc import Iterator
from typing import Any

from tasklib.adopt.evidence import Command, Kind, Place, Recipe
from tasklib.adopt.shell import commands

__all__ = ["read_noxfile", "read_tox"]

_ENVIRONMENT = re.compile(r"(?:testenv|env_run_base|env)(?::|\.|$)(?P<name>.*)")


def read_tox(file: str, text: str) -> Iterator[Recipe]:
    """Each ``[testenv:…]`` with its commands; the common one is called ``testenv``."""
    if file.endswith(".toml"):
        yield from _toml(file, text)
        return
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for section in parser.sections():
        if found := _ENVIRONMENT.fullmatch(section):
            raw = parser.get(section, "commands", fallback="") or ""
            first = _line(text, f"[{section}]")
            common = parser.get("testenv", "deps", fallback="") or ""
            deps = parser.get(section, "deps", fallback=common) or ""
            lines = [*_installs(deps), *raw.splitlines()]
            yield _recipe(file, found["name"] or "testenv", first, lines, text)


def _installs(deps: str) -> Iterator[str]:
    """What an environment lists as pip is told it, but for what only some of its factors have."""
    listed = [line.split("#")[0].strip() for line in deps.splitlines()]
    own = [line for line in listed if line and not re.match(r"[\w{},!-]+:\s|\{\[", line)]
    if own:
        words = [
            re.sub(r"^-r\s*", "-r ", line) if line.startswith("-") else shlex.quote(line) for line in own
        ]
        yield f"pip install {' '.join(words)}"


def _toml(file: str, text: str) -> Iterator[Recipe]:
    try:
        data: Any = tomllib.loads(text)
        tables = data.get("tool", {}).get("tox", {}) if file.endswith("pyproject.toml") else data
        found = {"testenv": tables.get("env_run_base", {}), **tables.get("env", {})}
        rows = {name: table.get("commands", []) for name, table in found.items() if isinstance(table, dict)}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return
    for name, listed in rows.items():
        lines = [" ".join(map(str, row)) for row in listed if isinstance(row, list)]
        if lines:
            yield _recipe(file, str(name), _line(text, "commands"), lines, text)


def _recipe(file: str, name: str, first: int, lines: list[str], text: str) -> Recipe:
    numbered = []
    for line in lines:
        plain = (
            re.sub(r"\{posargs(:[^}]*)?\}", "", line)
            .replace("{toxinidir}/", "./")
            .replace("{toxinidir}", ".")
        )
        plain = plain.replace("{envpython}", "python").replace("{envbindir}/", "").strip().lstrip("-")
        if plain:
            numbered.append((_line(text, line.strip(), first), plain))
    folder = posixpath.dirname(file)
    return Recipe(Kind.TOX, file, name, first, first + len(lines), tuple(commands(numbered, file, folder)))


def read_noxfile(file: str, text: str) -> Iterator[Recipe]:
    """Each session with what it runs by literal words: ``session.run("pytest", "tests")``."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    folder = posixpath.dirname(file)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(
            "session" in ast.unparse(d) for d in node.decorator_list
        ):
            ran = tuple(_runs(node, file, folder))
            yield Recipe(Kind.NOX, file, _name(node), node.lineno, node.end_lineno or node.lineno, ran)


def _name(node: ast.FunctionDef) -> str:
    for decorator in node.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return node.name


def _runs(node: ast.FunctionDef, file: str, folder: str) -> Iterator[Command]:
    for call in ast.walk(node):
        if not (
            isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "run"
        ):
            continue
        words = [
            arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        if words:
            yield Command(Place(file, call.lineno), tuple(words), folder)


def _line(text: str, part: str, after: int = 1) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if number >= after and part and part in line:
            return number
    return after

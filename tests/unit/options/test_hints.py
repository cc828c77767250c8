"""Commands in messages are spelled by `options`, as the program that was typed knows them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import tasklib
from tasklib.options.caller import Caller, hint, speaking_as

ROOT = Path(tasklib.__file__).parent

SPELLED = {
    "options": "it is what spells them",
    "tasks/program.py": "it is the program `tasklib`",
    "adopt/edits/noxfile.py": "it is about a noxfile",
    "agents": "pages for whoever has no program yet",
}
"""Where a program's name may stand, and why."""


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The strings of a module that are no docstrings."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def test_no_message_spells_a_command_itself() -> None:
    """`tasklib infra.down` is nothing to type for whoever has only Invoke: `hint` knows what is."""
    found = []
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if any(f"{name}/".startswith(f"{place}/") for place in SPELLED):
            continue
        source = path.read_text(encoding="utf-8")
        # A string may be written in parts. Parsing all takes a second.
        if not re.search(r"`(tasklib|invoke|inv|nox)\b|`[\"']", source):
            continue
        for line, text in texts(ast.parse(source)):
            if re.search(r"`(tasklib|invoke|inv|nox) ", text):
                found.append(f"{name}:{line}: {text}")
    assert found == []


def test_a_hint_is_spelled_for_the_program_whose_command_runs() -> None:
    """However deep it is said, and only as long as that command runs."""
    with speaking_as(Caller(("invoke",), {"infra.down": "stacks.down"})):
        assert hint("infra.down", "--name", "api") == "invoke stacks.down --name api"
        with speaking_as(Caller(("nox",), {"infra.down": "infra-down"}, sessions=True)):
            assert hint("infra.down", "--name", "api") == "nox -s infra-down -- --name api"
        assert hint("clean.stale") == "tasklib clean.stale"
    assert hint("infra.down") == "tasklib infra.down"

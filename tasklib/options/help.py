"""Help and the documentation's tables, made from what is declared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tasklib.options.catalog import COMMANDS
from tasklib.options.command import Command
from tasklib.options.option import Option

__all__ = ["DRY", "command_help", "option_rows", "page"]

DRY = ("--dry", "only say what would be done")


def option_rows(options: Iterable[Option[Any]]) -> Iterator[tuple[str, str]]:
    """Each option as it is typed, with its value, and its help."""
    for option in options:
        yield option.flag if option.positional else f"{option.flag} {option.metavar}".rstrip(), option.help


def command_help(command: Command, start: str, *, dashes: str = "") -> list[str]:
    """The help of a command that is typed as ``start``: our options first, one example last.

    ``dashes`` is what stands between the two: Nox takes for its own whatever no ``--`` precedes.
    """
    typed = f"{start} {dashes}".rstrip()
    rows = [*option_rows(command.options), DRY, ("-h, --help", "show this")]
    width = max(len(left) for left, _ in rows)
    runner = ""
    if command.runs_tests:
        which = "a second `--`" if dashes else "`--`"
        runner = f"The options of pytest, or of another test runner, follow {which}."
    words = "".join(f" {option.flag}" for option in command.options if option.positional)
    return [
        f"Usage: {typed}{words} [OPTIONS]{' [-- OPTIONS OF THE TEST RUNNER]' if runner else ''}",
        "",
        command.doc,
        "",
        *(f"  {left:{width}}  {said}" for left, said in rows),
        "",
        *((runner, "") if runner else ()),
        f"Example: {command.example_of(typed if command.example else start)}",
    ]


def page() -> str:
    """docs/commands.md: every command with its options."""
    found = [
        "# Commands",
        "",
        "Every command of `invoke` and `tasklib`, with its Nox session where there is one. Under Nox,",
        "options follow `--`: `nox -s service -- --name api`. All take `--help`, and `--dry`, which only",
        "says what would be done.",
        "",
        "Written by `python -m tasklib.options`.",
    ]
    for command in COMMANDS:
        name = command.collection if command.default else command.name
        nox = f" · `nox -s {command.session}`" if command.session else ""
        found += ["", f"## `{name}`{nox}", "", command.doc]
        if command.options:
            rows = option_rows(command.options)
            found += ["", "| option | meaning |", "| --- | --- |"]
            found += [f"| `{typed.replace('|', chr(92) + '|')}` | {said} |" for typed, said in rows]
        if command.example:
            found += ["", f"Example: `{command.example_of(f'tasklib {name}')}`"]
    return "\n".join(found) + "\n"

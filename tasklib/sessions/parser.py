"""What follows ``--`` in a Nox command line, by the options that a command declares."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from tasklib.errors import UsageError
from tasklib.options.caller import Caller
from tasklib.options.command import Command
from tasklib.options.values import Values

__all__ = ["read"]


def read(command: Command, words: Sequence[str], caller: Caller) -> Values | None:
    """The values in ``words``, with what follows a second ``--``; ``None`` where help is asked for.

    Raises :class:`~tasklib.errors.UsageError` for what the command does not take.
    """
    own, extra = _split(words)
    if extra and not command.runs_tests:
        raise UsageError(f"{command.session} takes nothing after a second `--`")
    typed = vars(_parser(command, caller).parse_args(own))
    if typed.pop("help"):
        return None
    dry = typed.pop("dry")
    return Values.read(command, typed, dry=dry, extra=tuple(extra), caller=caller)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our options, and what follows a second ``--``."""
    words = list(words)
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


class _Parser(argparse.ArgumentParser):
    """argparse that raises, in the words of the other front end."""

    def __init__(self, command: Command, caller: Caller) -> None:
        super().__init__(prog=command.session, add_help=False, allow_abbrev=False)
        self._command = command
        self._caller = caller

    def error(self, message: str) -> NoReturn:
        if missing := re.fullmatch(r"argument (\S+): expected one argument", message):
            raise UsageError(f"{missing[1]} needs a value")
        if unknown := re.fullmatch(r"unrecognized arguments: (.*)", message, re.DOTALL):
            raise self._unknown(unknown[1].split(" ")[0])
        raise UsageError(message)

    def _unknown(self, word: str) -> UsageError:
        command, caller = self._command, self._caller
        hint = command.suggestion(word, ("--dry", "--help"))
        if command.runs_tests and word.startswith("-") and not hint:
            hint = f"Options of pytest follow a second `--`: {caller.line(command.name, '--', word)}"
        else:
            hint = f"{hint} `{caller.line(command.name, '--help')}` lists what it takes.".lstrip()
        return UsageError(f"unknown argument {word} of {self.prog}", remedy=hint)


def _parser(command: Command, caller: Caller) -> _Parser:
    parser = _Parser(command, caller)
    for option in command.options:
        if option.repeats:
            parser.add_argument(option.flag, dest=option.name, action="append")
        elif option.takes_value:
            parser.add_argument(option.flag, dest=option.name)
        else:
            parser.add_argument(option.flag, dest=option.name, action="store_true", default=None)
        if option.inverse:
            parser.add_argument(option.inverse, dest=option.name, action="store_false", default=None)
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    return parser

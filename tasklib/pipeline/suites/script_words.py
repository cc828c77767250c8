"""PURE: the commands of a script of package.json, word by word."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

__all__ = ["SHELL", "Command", "last_command"]

SHELL = frozenset("|&;<>$`()~\n")
"""What makes a script more than one command with its arguments, patterns of files among them."""

_COVERAGE = ("c8", "nyc")
"""What measures the coverage of the command behind its own options."""


class Command(Struct, frozen=True):
    """The last command of a script: its words, what is set for it, and whether others come before."""

    words: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    follows: bool = False

    @property
    def program(self) -> str:
        return self.words[0].rpartition("/")[2] if self.words else ""


def last_command(script: str) -> Command:
    """What a script comes to, without what only starts it.

    What npm is given after ``--`` goes to this command.
    """
    before, joint, last = script.rpartition("&&")
    words = _words(last)
    follows = bool(joint and before.strip())
    env: dict[str, str] = {}
    while words:
        name, equals, value = words[0].partition("=")
        if words[0] in ("cross-env", "npx", "--no-install", "--yes", "-y"):
            del words[0]
        elif words[0] in _COVERAGE and (start := _program_behind(words)):
            del words[:start]
            follows = True
        elif words[:2] in (["pnpm", "exec"], ["yarn", "run"], ["npm", "exec"], ["dotenv", "--"]):
            del words[:2]
        elif equals and name.isidentifier():
            env[name] = value
            del words[0]
        else:
            break
    return Command(tuple(words), env, follows=follows)


def _program_behind(words: Sequence[str]) -> int:
    """Where in ``words`` a runner begins that is known here; 0 for nowhere."""
    known = ("node", "tsx", "jest", "react-scripts", "craco")
    return next((at for at, word in enumerate(words) if word.rpartition("/")[2] in known), 0)


def _words(script: str) -> list[str]:
    if SHELL.intersection(script):
        script = re.sub(r"'[^']*'|\"[^\"]*\"", "", script)  # Patterns in quotes are node's own.
        if SHELL.intersection(script):
            return []
    try:
        return shlex.split(script)
    except ValueError:
        return []

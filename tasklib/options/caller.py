"""How the user types our commands: what hints and rerun lines are spelled like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["TASKLIB", "Caller", "hint", "speaking_as", "typed_program"]

_DEFAULT = ".all"
"""What the default task of a collection is declared as: it is typed as the collection alone."""


@dataclass(frozen=True)
class Caller:
    """The ``program`` that was typed, and the names by which it knows our commands.

    Whatever it does not know is spelled for the command ``tasklib``, which knows all of them. ``names`` are
    sessions where options follow ``--``, as Nox's do.
    """

    program: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    sessions: bool = False

    def knows(self, command: str) -> bool:
        return self == TASKLIB or command in self.names

    def line(self, command: str, *words: str) -> str:
        """A line to type: ``invoke test.unit --name api``, quoted for a shell."""
        from shlex import join

        if self == TASKLIB or command not in self.names:
            return join((*TASKLIB.program, command.removesuffix(_DEFAULT), *words))
        name = self.names[command].removesuffix(_DEFAULT)
        if not self.sessions:
            return join((*self.program, name, *words))
        return join((*self.program, "-s", name, *(("--", *words) if words else ())))


TASKLIB = Caller(("tasklib",))

_speaking = TASKLIB


@contextmanager
def speaking_as(caller: Caller) -> Iterator[None]:
    """Have every :func:`hint` of this process spelled for ``caller`` while the block lasts."""
    global _speaking
    before, _speaking = _speaking, caller
    try:
        yield
    finally:
        _speaking = before


def hint(command: str, *words: str) -> str:
    """A line to type, as :meth:`Caller.line`, for the program whose command runs in this process.

    For what says something deep down, where nobody hands a caller on. Where no program was typed, as under
    pytest alone, that is ``tasklib``.
    """
    return _speaking.line(command, *words)


def typed_program(argv0: str) -> tuple[str, ...]:
    """The program as it can be typed again, from the path that it was started by."""
    head, _, name = argv0.replace("\\", "/").rpartition("/")
    if name == "__main__.py":
        return ("python", "-m", head.rpartition("/")[2])
    if name.endswith(".py"):
        return ("python", argv0)
    return (name,) if name else TASKLIB.program

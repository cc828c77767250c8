"""One command: its names, and what it takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tasklib.options.option import Option

__all__ = ["Command"]


class Command(NamedTuple):
    """``name`` is what Invoke's users type, ``session`` what Nox's do (empty: there is none).

    ``default`` commands go by their collection's name too. What follows ``--`` reaches the test runner where
    the command ``runs_tests``. ``example`` is what may follow the name.
    """

    name: str
    doc: str
    options: tuple[Option[Any], ...] = ()
    example: str = ""
    session: str = ""
    default: bool = False
    runs_tests: bool = False

    @property
    def collection(self) -> str:
        """Empty for a command that stands by itself."""
        return self.name.rpartition(".")[0]

    @property
    def task(self) -> str:
        """The name within its collection, or its own where it is in none."""
        return self.name.partition(".")[2] or self.name

    def example_of(self, typed: str) -> str:
        """What may be typed, where ``typed`` stands for the command: ``typed --name api -- -x``."""
        return " ".join(filter(None, [typed, self.example, "-- -x" if self.runs_tests else ""]))

    def suggestion(self, word: str, known: Iterable[str] = ()) -> str:
        """``Did you mean --name?`` for a word that is no option; none that consents is offered."""
        from tasklib.options.likeness import meant

        safe = [option.flag for option in self.options if not (option.consents or option.positional)]
        return meant(word, [*safe, *known])

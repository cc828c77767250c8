"""One option: its name, what it takes, and the check of what was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar, cast

from tasklib.errors import UsageError

__all__ = [
    "Option",
    "argument",
    "choice",
    "count",
    "number",
    "optional",
    "required",
    "several",
    "share",
    "switch",
    "text",
]

T_co = TypeVar("T_co", covariant=True)


class Option(NamedTuple, Generic[T_co]):
    """What front ends offer as ``--name``, and commands read as a ``T``.

    ``metavar`` names its value in help; a switch has none. ``check`` makes a ``T`` of one value as typed, or
    raises ValueError with what it takes instead. One that ``consents`` agrees to something that cannot be
    taken back: it is never suggested.
    """

    name: str
    help: str
    default: T_co
    metavar: str = ""
    repeats: bool = False
    choices: tuple[str, ...] = ()
    check: Callable[[str], Any] = str
    consents: bool = False
    positional: bool = False
    required: bool = False

    @property
    def flag(self) -> str:
        """What is typed: ``--name``, ``-k``; what is ``positional`` is typed without."""
        if self.positional:
            return self.metavar if self.required else f"[{self.metavar}]"
        return f"-{self.name}" if len(self.name) == 1 else f"--{self.name}"

    @property
    def takes_value(self) -> bool:
        return bool(self.metavar)

    @property
    def inverse(self) -> str:
        """What turns a switch off that is on by itself: ``--no-push``; else empty."""
        return f"--no-{self.name}" if self.default is True else ""

    def read(self, typed: object) -> T_co:
        """The value of what a front end read: ``None``, a truth value, a text or a list of texts.

        Raises :class:`~tasklib.errors.UsageError` for a text that the option does not take.
        """
        if not self.takes_value:
            return cast("T_co", self.default if typed is None else bool(typed))
        if self.repeats:
            texts = (typed,) if isinstance(typed, str) else cast("tuple[str, ...]", typed or ())
            return cast("T_co", tuple(self._one(text) for text in texts))
        return self.default if typed is None else cast("T_co", self._one(cast("str", typed)))

    def _one(self, typed: str) -> object:
        try:
            return self.check(typed)
        except ValueError as error:
            raise UsageError(f"{self.flag} takes {error}, not {typed!r}") from None


def switch(name: str, help: str, *, default: bool = False, consents: bool = False) -> Option[bool]:
    """On or off."""
    return Option(name, help, default, consents=consents)


def text(name: str, metavar: str, help: str) -> Option[str]:
    """Any text; empty where none is typed."""
    return Option(name, help, "", metavar)


def optional(name: str, metavar: str, help: str) -> Option[str | None]:
    """Any text; ``None`` where none is typed."""
    return Option(name, help, None, metavar)


def argument(name: str, metavar: str, help: str, default: str) -> Option[str]:
    """A word that stands by itself after the command's name."""
    return Option(name, help, default, metavar, positional=True)


def required(name: str, metavar: str, help: str) -> Option[str]:
    """A word that has to stand after the command's name."""
    return Option(name, help, "", metavar, positional=True, required=True)


def several(name: str, metavar: str, help: str) -> Option[tuple[str, ...]]:
    """Any text, any number of times."""
    return Option(name, f"{help}; repeats", (), metavar, repeats=True)


def number(name: str, metavar: str, help: str) -> Option[int | None]:
    """A number of at least 1; ``None`` where none is typed."""
    return Option(name, help, None, metavar, check=_positive)


def count(name: str, metavar: str, help: str, default: int) -> Option[int]:
    """A number of at least 1, ``default`` where none is typed."""
    return Option(name, help, default, metavar, check=_positive)


def share(name: str, help: str) -> Option[tuple[int, int] | None]:
    """``2/4``: the second of four; ``None`` where none is typed."""
    return Option(name, help, None, "I/N", check=_share)


def choice(name: str, choices: tuple[str, ...], help: str, default: str) -> Option[str]:
    """One of ``choices``; without a default (empty) nothing is chosen for the user."""

    def chosen(typed: str) -> str:
        if typed not in choices:
            raise ValueError(f"{', '.join(choices[:-1])} or {choices[-1]}")
        return str(typed)  # a front end may hand over a kind of its own

    return Option(name, help, default, "|".join(choices), choices=choices, check=chosen)


def _share(typed: str) -> tuple[int, int]:
    words = typed.split("/")
    if len(words) == 2 and all(word.isascii() and word.isdigit() and len(word) < 5 for word in words):
        number, of = map(int, words)
        if 1 <= number <= of:
            return number, of
    raise ValueError("I/N, the I-th of N machines")


def _positive(typed: str) -> int:
    if not typed.isascii() or not typed.isdigit() or int(typed) < 1:
        raise ValueError("a number of at least 1")
    return int(typed)

"""What adopting comes to, as values: settings, files, questions and notes, each with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from tasklib.adopt.evidence import Place

__all__ = ["Choice", "Note", "Proposal", "Question", "Reason", "Setting"]


class Setting(Struct, frozen=True):
    """A key of ``[tool.tasklib]``, its value, and why it is needed."""

    keys: tuple[str, ...]
    value: object
    why: str
    places: tuple[Place, ...] = ()


class Reason(Struct, frozen=True):
    """Why a line of a file is to change: ``line`` as it will stand (or stood, where it goes)."""

    line: str
    why: str
    places: tuple[Place, ...] = ()


class Choice(Struct, frozen=True):
    """One answer to a question."""

    answer: str
    what: str
    places: tuple[Place, ...] = ()


class Question(Struct, frozen=True):
    """What the evidence does not decide; ``key`` is what ``--answer KEY=VALUE`` names."""

    key: str
    text: str
    choices: tuple[Choice, ...]


class Note(Struct, frozen=True):
    """What is left to the reader, and where it is seen."""

    text: str
    places: tuple[Place, ...] = ()


class Proposal(Struct, frozen=True):
    """``files`` are the new texts by path (``None``: the file goes), ``reasons`` why, by path.

    ``copies`` are files that people, and CI, make from examples before anything runs. ``adopted``: something
    of tasklib is there already.
    """

    settings: tuple[Setting, ...] = ()
    files: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=lambda: MappingProxyType({}))
    questions: tuple[Question, ...] = ()
    notes: tuple[Note, ...] = ()
    copies: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    adopted: bool = False

"""What adopting comes to: the settings with their reasons, the questions, and what else there is to say."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from tasklib.adopt.evidence import Place
from tasklib.adopt.proposal import Note, Question, Setting
from tasklib.adopt.usages import Usage

__all__ = ["Needed"]


class Needed(Struct):
    """The settings with their reasons, what is unclear, and what else there is to say."""

    settings: list[Setting] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    overrides: dict[str, Usage] = field(default_factory=dict)
    """Compose files to be written for tests that start by another entry point, by path."""

    def add(self, keys: Sequence[str], value: object, why: str, *places: Place) -> None:
        if not any(setting.keys == tuple(keys) for setting in self.settings):
            self.settings.append(Setting(tuple(keys), value, why, tuple(dict.fromkeys(places))))

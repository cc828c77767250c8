"""What was typed for a command, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from msgspec import Struct

from tasklib.errors import UsageError
from tasklib.options.caller import TASKLIB, Caller
from tasklib.options.command import Command
from tasklib.options.option import Option

__all__ = ["Values"]

T = TypeVar("T")


class Values(Struct, frozen=True):
    """What was typed for a command, checked: ``values[option]`` is the option's value.

    ``dry``: only say what would be done; ``extra`` is what follows ``--``, for the test runner; ``caller``
    tells how hints are spelled; ``python`` is the version that tests run on, empty for the project's own.
    """

    of: Mapping[str, object]
    dry: bool = False
    extra: tuple[str, ...] = ()
    caller: Caller = TASKLIB
    python: str = ""

    @classmethod
    def read(
        cls,
        command: Command,
        typed: Mapping[str, object],
        *,
        dry: bool = False,
        extra: tuple[str, ...] = (),
        caller: Caller = TASKLIB,
    ) -> Values:
        """Check what a front end read, by the options' names.

        Raises :class:`~tasklib.errors.UsageError` for a value that an option does not take.
        """
        known = {option.name for option in command.options}
        if unknown := [name for name in typed if name not in known]:
            raise UsageError(f"{command.name} has no option {unknown[0]!r}")
        values = {option.name: option.read(typed.get(option.name)) for option in command.options}
        return cls(values, dry, extra, caller)

    def __getitem__(self, option: Option[T]) -> T:
        return cast("T", self.of[option.name])

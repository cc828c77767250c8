"""What ``--env`` means: chosen once, an object that every command about stacks is asked of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

__all__ = ["Stacks", "stacks_of"]


class Stacks(Protocol):
    """The stacks of one environment of the project around the current folder.

    ``names`` are services (none: all); ``dry`` only says what would be done; ``yes`` agrees beforehand to
    what would be asked. Raises :class:`~tasklib.errors.TasklibError` for what cannot be done.
    """

    def up(self, names: Sequence[str], *, fresh: bool, yes: bool, dry: bool) -> None:
        """``fresh`` gives stacks that are up new data stores."""

    def down(self, names: Sequence[str], *, yes: bool, dry: bool) -> None: ...

    def status(self) -> None: ...

    def logs(self, names: Sequence[str], *, tail: int) -> None: ...

    def env(self, name: str | None, *, dry: bool) -> Mapping[str, str]:
        """The variables for plain Compose and tests."""

    def config(self, name: str | None, *, diff: bool) -> int:
        """Print what would run, or what is changed in it; 2 where it could not run."""


def stacks_of(environment: str) -> Stacks:
    """The stacks of ``test``, ``dev`` or ``prod``; those of prod ask before anything changes."""
    from tasklib.commands.fixed import AsWritten
    from tasklib.commands.isolated import Isolated

    return Isolated() if environment == "test" else AsWritten(environment, asks=environment == "prod")

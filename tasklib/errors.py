"""Every way a run can be impossible, each with its exit code and its remedy.

A failing test is a result, not an exception: nothing here is raised for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

__all__ = [
    "EXIT_CODES",
    "START_ENGINE",
    "ConfigError",
    "EngineError",
    "InternalError",
    "Interrupted",
    "NotInstalled",
    "NothingRan",
    "OutputClosed",
    "StackError",
    "TasklibError",
    "UsageError",
    "engine_restarted",
    "engine_stopped",
]

EXIT_CODES: Mapping[int, str] = {
    0: "passed",
    1: "tests failed",
    2: "wrong usage or configuration",
    3: "no usable engine",
    4: "a stack did not become ready",
    70: "a mistake of tasklib itself",
    130: "interrupted",
}
"""What each exit code says."""

START_ENGINE = "Start it (`systemctl start docker`, or Docker Desktop), or point DOCKER_HOST to a local one."
"""What helps where no engine answers."""


class TasklibError(Exception):
    """Something made the run impossible.

    ``what`` says what is wrong, ``where`` names the file (and line), ``remedy`` what to do about it.
    ``str(error)`` is the one or two lines a user reads, a file below the current folder named from there.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        return "\n".join(self._lines())

    @property
    def line(self) -> str:
        """The same in one line, for a table or a list."""
        first, *rest = self._lines()
        return " ".join([first if not rest or first.endswith((".", "?", "!")) else f"{first}.", *rest])

    def _lines(self) -> list[str]:
        first = f"{_from_here(self.where)}: {self.what}" if self.where else self.what
        return [first, self.remedy] if self.remedy else [first]


def _from_here(where: str) -> str:
    try:
        below = Path(where).relative_to(Path.cwd())
    except (OSError, ValueError):
        return where
    return str(below) if below.parts else where


class UsageError(TasklibError):
    """The command line asks for something that does not exist or makes no sense."""


class NothingRan(UsageError):
    """What the command line asks for is in no test of these stages; another stage may have some."""


class NotInstalled(UsageError, ModuleNotFoundError):
    """What the front ends are made of is missing; an import that fails, for whoever tries it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not installed here: tasklib-pytest is for fixtures alone",
            remedy="Install the rest beside it: pip install tasklib-stages",
        )


class ConfigError(TasklibError):
    """A file of the project (pyproject.toml, a Compose file) cannot be used as it stands."""


class EngineError(TasklibError):
    """No usable Docker engine, or one that stopped answering."""

    exit_code: ClassVar[int] = 3


def engine_stopped() -> EngineError:
    """The engine that was there does not answer any more, whoever noticed: stopped, overloaded or stuck."""
    return EngineError(
        "the Docker engine stopped answering",
        remedy="`docker version` tells whether it runs; a machine that is overloaded may need longer.",
    )


def engine_restarted() -> EngineError:
    """It answers, and what ran on it ended: what tests said meanwhile is not of the project."""
    return EngineError(
        "the Docker engine restarted while tests ran, and containers ended with it",
        remedy='Run the command again; `"live-restore": true` in daemon.json lets containers outlive that.',
    )


class StackError(TasklibError):
    """A stack could not be built, started or did not become ready."""

    exit_code: ClassVar[int] = 4


class InternalError(TasklibError):
    """A mistake in tasklib itself."""

    exit_code: ClassVar[int] = 70


class OutputClosed(TasklibError):
    """Nobody reads our output any more (``| head``): nothing to say, and nobody to say it to."""

    exit_code: ClassVar[int] = 141  # what a shell says of a program that SIGPIPE ended

    def __init__(self, what: str = "nobody reads the output") -> None:
        super().__init__(what)


class Interrupted(TasklibError):
    """The user, or the system, asked the run to stop."""

    exit_code: ClassVar[int] = 130

    def __init__(self, what: str = "interrupted") -> None:
        super().__init__(what)

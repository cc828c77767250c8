"""The console command: the same tasks for a project without a tasks.py."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from tasklib import __version__
from tasklib.tasks import namespace

__all__ = ["main"]


class _Program(Program):
    """Invoke's program with our exit codes; without a task it lists them."""

    def no_tasks_given(self) -> None:
        self.list_tasks()
        raise Exit

    def parse_core(self, argv: list[str] | None) -> None:
        with _usage_errors():
            super().parse_core(argv)

    def parse_tasks(self) -> None:
        with _usage_errors():
            super().parse_tasks()

    def parse_cleanup(self) -> None:
        with _usage_errors():
            super().parse_cleanup()


@contextlib.contextmanager
def _usage_errors() -> Iterator[None]:
    """Invoke leaves with 1 when it cannot parse the command line; that code means failed tests here."""
    try:
        yield
    except ParseError as error:
        raise Exit(f"error: {error}", 2) from None


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``argv`` (``sys.argv``); leaves by SystemExit when the code is not 0."""
    words = list(sys.argv if argv is None else argv)
    program = _Program(version=__version__, namespace=namespace, name="tasklib", binary="tasklib")
    program.run(words)

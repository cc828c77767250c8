"""The console command: the same tasks for a project without a tasks.py."""

from __future__ import annotations

import contextlib
import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence

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
        with self._usage_errors():
            super().parse_core(argv)

    def parse_tasks(self) -> None:
        with self._usage_errors():
            super().parse_tasks()

    def parse_cleanup(self) -> None:
        with self._usage_errors():
            super().parse_cleanup()

    @contextlib.contextmanager
    def _usage_errors(self) -> Iterator[None]:
        """Invoke leaves with 1 when it cannot parse the command line; that code means failed tests here."""
        try:
            yield
        except ParseError as error:
            raise Exit(f"error: {self._told(error)}", 2) from None
        except ValueError as error:  # a core option that takes a number
            raise Exit(f"error: {error}", 2) from None

    def _told(self, error: ParseError) -> str:
        text = str(error)
        if missing := re.fullmatch(r"Flag (\S+) needed value and was not given one!", text):
            return f"{missing[1]} needs a value"
        unknown = re.fullmatch(r"No idea what (['\"])(.*)\1 is!", text)
        if unknown is None:
            return text
        word = unknown[2]
        if word.startswith("-"):
            known = error.context.flags if error.context else {}
            whose = f" of {error.context.name}" if error.context and error.context.name else ""
            return f"unknown option {word}{whose}\n{_nearest(word, known)}`tasklib --help TASK` lists them."
        tasks = [*self.parser.contexts, *self.parser.contexts.aliases] if hasattr(self, "parser") else []
        return f"unknown task {word!r}\n{_nearest(word, tasks)}`tasklib` lists them."


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f"Did you mean {near[0]}? " if near else ""


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``argv`` (``sys.argv``); leaves by SystemExit when the code is not 0."""
    words = list(sys.argv if argv is None else argv)
    program = _Program(version=__version__, namespace=namespace, name="tasklib", binary="tasklib")
    program.run(words)

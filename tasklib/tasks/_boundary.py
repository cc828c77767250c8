"""What makes a function an Invoke task of ours: strict options, and errors as lines with exit codes."""

from __future__ import annotations

import functools
import shlex
import sys
from collections.abc import Callable
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.tasks import Task

from tasklib.errors import TasklibError

__all__ = ["StrictTask", "after_dashes", "task"]


class _Option(Argument):
    """An argument that calls itself what the user types: Invoke's complaints show this."""

    def __repr__(self) -> str:
        return f"-{self.name}" if self.name and len(self.name) == 1 else f"--{self.name}"


class StrictTask(Task[Any]):
    """A task whose options need their values.

    Invoke takes a list option without a value (``--name`` at the end) for "none given", which would select
    everything.
    """

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        arguments = super().get_arguments(ignore_unknown_help)
        for argument in arguments:
            argument.__class__ = _Option
            if argument.kind is list:
                argument.raw_value = None
        return arguments


def task(
    *, help: dict[str, str] | None = None, repeats: tuple[str, ...] = (), **options: Any
) -> Callable[[Callable[..., int | None]], StrictTask]:
    """Register a function that returns an exit code (``None`` is 0).

    ``repeats`` are the options that can be given several times. Option names get no automatic short form.
    """

    def decorate(function: Callable[..., int | None]) -> StrictTask:
        @functools.wraps(function)
        def body(context: Context, *args: Any, **kwargs: Any) -> None:
            try:
                code = function(context, *args, **kwargs)
            except TasklibError as error:
                raise Exit(f"error: {error}", error.exit_code) from None
            except KeyboardInterrupt:
                raise Exit("interrupted", 130) from None
            if code:
                raise Exit(code=code)

        return StrictTask(
            body, help=help or {}, iterable=list(repeats), positional=[], auto_shortflags=False, **options
        )

    return decorate


def after_dashes(context: Context) -> tuple[str, ...]:
    """The words after ``--``, as they were typed: Invoke itself hands them over joined by spaces."""
    if not context.remainder:
        return ()
    typed = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return tuple(typed if " ".join(typed) == context.remainder else shlex.split(context.remainder))

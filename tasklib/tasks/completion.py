"""What a shell may complete after an option that takes a value; the rest is Invoke's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tasklib.errors import TasklibError
from tasklib.options.catalog import NAME, ONE_STACK, STACK
from tasklib.options.command import Command

__all__ = ["values"]

_OF_SERVICES = (NAME, STACK, ONE_STACK)


def values(words: Sequence[str], commands: Mapping[str, Command]) -> tuple[str, ...]:
    """What may stand where the last of ``words`` stands, or after it; nothing where that is no value.

    ``words`` is the command line so far, without the program, and ``commands`` what its tasks are called.
    A shell does not tell whether the last word is whole: one that is a value already is taken to be.
    """
    named = [commands[word] for word in words if word in commands]
    if not named:
        return ()
    options = {option.flag: option for option in named[-1].options if option.takes_value}
    for before in words[-2:]:
        if (option := options.get(before)) is None:
            continue
        known = option.choices or (_services() if option in _OF_SERVICES else ())
        return () if words[-1] in known else known
    return ()


def _services() -> tuple[str, ...]:
    """The names of this folder's project; none where it is no project, or a wrong one."""
    from tasklib.project import find_project

    try:
        return tuple(service.name for service in find_project(Path.cwd()).services)
    except TasklibError:
        return ()

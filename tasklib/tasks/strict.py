"""A command as an Invoke task: its options as they are declared, and errors as lines with exit codes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.executor import Executor
from invoke.parser.argument import Argument
from invoke.parser.parser import ParseMachine
from invoke.tasks import Task

from tasklib.errors import TasklibError
from tasklib.options.command import Command
from tasklib.options.option import Option

if TYPE_CHECKING:
    from tasklib.options.caller import Caller

__all__ = ["StrictTask"]

T = TypeVar("T")

_HELP = ("--help", "-h")


class _Text(str):
    """What an option takes: Invoke's help calls a ``str`` STRING, where ours names it."""


class _Argument(Argument):
    """An option that calls itself what the user types: Invoke's complaints show this."""

    def __init__(self, option: Option[Any]) -> None:
        kind: type = bool if not option.takes_value else list if option.repeats else _Text
        self._may_be_left_out = option.positional and not option.required
        super().__init__(
            names=(option.name,),
            kind=kind,
            # A positional argument without a value is missing to Invoke.
            default=option.default if self._may_be_left_out or not option.takes_value else None,
            positional=option.positional,
            help=f"{option.metavar}: {option.help}" if option.metavar else option.help,
            # One that equals the name would be an alias of itself, which Invoke follows for ever.
            attr_name=keyword if (keyword := _python_name(option.name)) != option.name else None,
        )
        if kind is list:
            # Invoke takes a list without a value (`--name` at the end) for "none given": all of them.
            self.raw_value = None
        self._flag = option.flag

    def __repr__(self) -> str:
        return self._flag

    @property
    def value(self) -> Any:
        """What was typed, or the default.

        Invoke has no positional argument that may be left out: what is ``None`` when a word comes is given
        that word, an option too, and what is ``None`` in the end is missing. So one that may be left out is
        ``None`` to the first look alone, and none is to an option; but what has to be there takes ``--help``,
        which would be of no use without it.
        """
        word = _word_in_hand() if self._value is None and self.positional else None
        if word is not None:
            taken = not word.startswith("-") or (word in _HELP and not self._may_be_left_out)
            return None if taken else ""
        return self._value if self._value is not None else self.default

    @value.setter
    def value(self, typed: str) -> None:
        self.set_value(typed, cast=True)

    def __deepcopy__(self, memo: object) -> _Argument:
        """Invoke copies every option of every task at its start; of ours, only the values read differ."""
        copied = _shallow(self)
        if isinstance(self._value, list):
            copied._value = list(self._value)
        return copied


def _shallow(one: T) -> T:
    """What ``copy.copy`` makes of a plain object, without the protocols that it asks each time."""
    copied = object.__new__(type(one))
    copied.__dict__.update(one.__dict__)
    return copied


def _word_in_hand() -> str | None:
    """The word that Invoke's parser, some frames up, looks for a place for; ``None`` where it does not.

    Invoke asks an argument for its value and nothing more, be it at a word or at the end, so only its frames
    tell. An Invoke in which they cannot be found takes no word that may be left out: it is refused as an
    unknown task, never taken for something else, and a test says so before any user does.
    """
    handle = getattr(ParseMachine.handle, "__code__", None)
    frame: Any = sys._getframe(2)
    for _ in range(4):
        if frame is None:
            break
        if frame.f_code is handle:
            word = frame.f_locals.get("token")
            return word if isinstance(word, str) else None
        frame = frame.f_back
    return None


class StrictTask(Task[Any]):
    """A task that runs a command."""

    def __init__(self, command: Command) -> None:
        super().__init__(
            _body(command), name=command.task, positional=[], auto_shortflags=False, default=command.default
        )
        self.command = command

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StrictTask) and self.command == other.command

    def __hash__(self) -> int:
        return hash(self.command.name)

    def __deepcopy__(self, memo: object) -> StrictTask:
        """Invoke copies every task of a namespace at its start; what is declared is the same in all."""
        return _shallow(self)

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        return [_Argument(option) for option in self.command.options]


def _body(command: Command) -> Callable[..., None]:
    def body(context: Context, **typed: Any) -> None:
        from tasklib.commands.boundary import boundary, open_streams, spoken

        open_streams()
        try:
            with boundary():
                from tasklib.commands.console import flush, say
                from tasklib.commands.table import run
                from tasklib.options.help import command_help
                from tasklib.options.values import Values

                if _asks_for_help(command, typed):
                    for line in command_help(command, _caller().line(command.name)):
                        say(line)
                    flush()
                    return
                values = Values.read(
                    command,
                    {_option_name(name): value for name, value in typed.items()},
                    dry=bool(context.config.run.dry),
                    extra=_after_dashes(context) if command.runs_tests else (),
                    caller=_caller(),
                )
                code = run(command, values)
                flush()
        except TasklibError as error:
            raise Exit(spoken(error) or None, error.exit_code) from None
        if code:
            raise Exit(code=code)

    body.__name__ = _python_name(command.task)
    example = command.example_of("")
    body.__doc__ = f"{command.doc}\n\nExample: {example}" if example else command.doc
    return body


def _asks_for_help(command: Command, typed: Mapping[str, Any]) -> bool:
    """Whether ``--help`` stands where a word may: Invoke takes it for that word then."""
    words = [typed.get(_python_name(option.name)) for option in command.options if option.positional]
    return any(word in _HELP for word in words)


def _python_name(option: str) -> str:
    """The option as a keyword of a Python call."""
    name = option.replace("-", "_")
    return f"{name}_" if name == "for" else name


def _option_name(keyword: str) -> str:
    return keyword.rstrip("_").replace("_", "-")


def _after_dashes(context: Context) -> tuple[str, ...]:
    """The words after ``--``, as they were typed: Invoke itself hands them over joined by spaces."""
    if not context.remainder:
        return ()
    typed = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return tuple(typed if " ".join(typed) == context.remainder else shlex.split(context.remainder))


def _caller() -> Caller:
    """The program that runs this task, with its own names for all of ours.

    Projects add our collections under names of their own, and have programs of their own. Invoke tells a
    task neither; its executor, a few frames up, knows both.
    """
    from tasklib.options.caller import TASKLIB, Caller

    frame: Any = sys._getframe()
    while frame is not None:
        if isinstance(executor := frame.f_locals.get("self"), Executor):
            return Caller(_program(executor), _names(executor))
        frame = frame.f_back
    return TASKLIB


def _program(executor: Executor) -> tuple[str, ...]:
    from tasklib.options.caller import typed_program

    words = list(typed_program(sys.argv[0] if sys.argv else ""))
    given = executor.core[0].args if executor.core else {}
    for option in ("collection", "search-root"):
        if option in given and given[option].value:
            words += [f"--{option}", given[option].value]
    return tuple(words)


def _names(executor: Executor) -> dict[str, str]:
    """What the running program calls our commands, the shortest where it has several names for one."""
    names: dict[str, str] = {}
    for name, aliases in executor.collection.task_names.items():
        task = executor.collection[name]
        if isinstance(task, StrictTask):
            known = names.get(task.command.name)
            names[task.command.name] = min(filter(None, [known, name, *aliases]), key=len)
    return names

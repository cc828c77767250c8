"""The console command: the same tasks for a project without a tasks.py."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import Any

from invoke.config import Config
from invoke.exceptions import Exit, ParseError
from invoke.program import Program

import tasklib
from tasklib.commands.console import say, written
from tasklib.errors import ConfigError, Interrupted
from tasklib.options.catalog import STAGE_OPTIONS
from tasklib.options.command import Command
from tasklib.options.help import command_help, option_rows
from tasklib.options.likeness import meant
from tasklib.shown.cutting import flat
from tasklib.tasks import namespace
from tasklib.tasks.completion import values
from tasklib.tasks.strict import StrictTask

__all__ = ["run"]


class _Settings(Config):
    """Invoke's own settings, where files that nobody named and that cannot be read are passed over.

    A home may be another user's (`sudo -u`), or none.
    """

    def _load_yaml(self, path: PathLike[str]) -> Any:
        return self._checked(super()._load_yaml, path)

    def _load_yml(self, path: PathLike[str]) -> Any:
        return self._checked(super()._load_yaml, path)

    def _load_json(self, path: PathLike[str]) -> Any:
        return self._checked(super()._load_json, path)

    def _checked(self, load: Callable[[PathLike[str]], Any], path: PathLike[str]) -> Any:
        where = str(path)
        try:
            found = load(path)
        except OSError as error:
            if where != self._runtime_path:
                raise FileNotFoundError(errno.ENOENT, "cannot be read", where) from error
            raise ConfigError(f"cannot be read: {error.strerror}", where=where) from error
        except Exception as error:  # The readers' errors have nothing in common.
            raise ConfigError(
                "Invoke's settings cannot be read: " + flat(str(error), 200), where=where
            ) from error
        if found is not None and not isinstance(found, dict):
            raise ConfigError("Invoke's settings have to be a mapping", where=where)
        return found


class _Program(Program):
    """Invoke's program with our exit codes and our help; without a task it lists them."""

    def no_tasks_given(self) -> None:
        self.list_tasks()
        raise Exit

    def print_version(self) -> None:
        say(f"{self.name} {tasklib.__version__}")

    def print_help(self) -> None:
        say(f"Usage: {self.binary} TASK [OPTIONS] [-- OPTIONS OF THE TEST RUNNER]\n")
        self.list_tasks()
        say("Options of the stages (`tasklib --help TASK` shows those of any task):\n")
        self.print_columns(list(option_rows(STAGE_OPTIONS)))
        say(f"Example: {self.binary} test.service --name api -- -x\n")
        say("Options of Invoke, which all tasks take:\n")
        self.print_columns(self.initial_context.help_tuples())

    def print_task_help(self, name: str) -> None:
        task = self.collection[name]
        if not isinstance(task, StrictTask):
            super().print_task_help(name)
            return
        for line in command_help(task.command, f"{self.binary} {name}"):
            say(line)

    def parse_core(self, argv: list[str] | None) -> None:
        with self._usage_errors():
            super().parse_core(argv)

    def parse_tasks(self) -> None:
        with self._usage_errors():
            super().parse_tasks()

    def parse_cleanup(self) -> None:
        with self._usage_errors(), written():  # what is only to be listed or explained is printed here
            if self.args.complete.value and (known := values(self._typed_so_far(), self._commands())):
                say("\n".join(known))
                raise Exit
            super().parse_cleanup()

    def _typed_so_far(self) -> list[str]:
        """What a shell asks to be completed, without the program."""
        return str(self.core.remainder).split()[1:]

    def _commands(self) -> dict[str, Command]:
        named = {name: self.collection[name] for name in self.parser.contexts}
        return {name: task.command for name, task in named.items() if isinstance(task, StrictTask)}

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
        if missing := re.fullmatch(r"'(\S+)' did not receive required positional arguments: .*", text):
            return f"{missing[1]} needs what stands after it\n`tasklib --help {missing[1]}` shows it."
        unknown = re.fullmatch(r"No idea what (['\"])(.*)\1 is!", text)
        if unknown is None:
            return text
        word = unknown[2]
        if word.startswith("-"):
            return f"unknown option {word}{self._of_task(word, error)}"
        tasks = [*self.parser.contexts, *self.parser.contexts.aliases] if hasattr(self, "parser") else []
        return f"unknown task {word!r}\n{f'{meant(word, tasks)} `tasklib` lists them.'.lstrip()}"

    def _of_task(self, word: str, error: ParseError) -> str:
        """Whose option ``word`` is not, and what to type instead."""
        name = error.context.name if error.context else None
        task = self.collection[name] if name else None
        if not isinstance(task, StrictTask):
            return "\n`tasklib --help` lists them."
        hint = task.command.suggestion(word, self.initial_context.flags)
        if task.command.runs_tests and not hint:
            return f" of {name}\nOptions of pytest follow `--`: tasklib {name} -- {word}"
        return f" of {name}\n{f'{hint} `tasklib --help {name}` lists them.'.lstrip()}"


def run(words: Sequence[str]) -> None:
    """Run the command line ``words``; leaves by SystemExit when the code is not 0.

    Raises :class:`~tasklib.errors.Interrupted` after Ctrl-C.
    """
    program = _Program(namespace=namespace, name="tasklib", binary="tasklib", config_class=_Settings)
    try:
        program.run(list(words))
    except SystemExit as left:
        if isinstance(left.__context__, KeyboardInterrupt):  # Invoke says 1, which means failed tests here
            raise Interrupted from None
        raise

"""The stack of one pytest session: whether one is wanted, and what is done with it until pytest ends."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasklib.errors import TasklibError, UsageError
from tasklib.pytest_plugin.workers import Asked, Controller, Reply

if TYPE_CHECKING:
    from tasklib.lending.client import Lent, Loan

__all__ = ["STACKS", "Borrowing", "borrowing_of", "is_asked"]

STACKS = ("auto", "own", "full", "none")

_WORKER = "PYTEST_XDIST_WORKER"
_QUESTIONS = (
    "help",
    "version",
    "collectonly",
    "showfixtures",
    "show_fixtures_per_test",
    "markers",
    "setupplan",
)
"""What pytest can be asked for that runs no test."""

_SHOWN = 10
"""How many failed tests show what the containers said: each costs a question to the engine."""


def stack_of(config: pytest.Config) -> str:
    """What ``--stack`` says, or else the ini option, or else nothing ("")."""
    asked = getattr(config.known_args_namespace, "stack", None) or config.getini("tasklib_stack")
    if asked not in (*STACKS, ""):
        raise pytest.UsageError(f"tasklib_stack = {asked} is not one of {', '.join(STACKS)}")
    return str(asked)


def is_asked(config: pytest.Config) -> bool:
    """Whether this process is to bring up a stack before any test: never one of xdist's workers."""
    questions = (getattr(config.known_args_namespace, name, False) for name in _QUESTIONS)
    return stack_of(config) not in ("none", "") and _WORKER not in os.environ and not any(questions)


def borrowing_of(config: pytest.Config) -> Borrowing:
    """This session's."""
    found = config.pluginmanager.getplugin(Borrowing.NAME)
    assert isinstance(found, Borrowing)
    return found


class Borrowing:
    """At most one stack, from when it is asked for until pytest ends."""

    NAME = "tasklib-stack"

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._loan: Loan | None = None
        self._view: Loan | None = None
        self._controller: Controller | None = None
        self._before: dict[str, str | None] = {}
        self._failure: TasklibError | None = None
        self._began: dict[str, float] = {}
        self._shown = 0

    @property
    def lent(self) -> Lent | None:
        """The stack that this process has borrowed."""
        return self._loan.lent if self._loan else None

    # -- asking for it --------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Bring up what is configured before anything of the tests is loaded; what goes wrong ends pytest."""
        try:
            self._borrow(stack_of(self._config), _paths(self._config))
        except KeyboardInterrupt:
            # So early, pytest would answer it with a traceback.
            raise SystemExit(pytest.ExitCode.INTERRUPTED) from None
        except TasklibError as error:
            raise pytest.UsageError("\n".join([*getattr(error, "logs", ()), str(error)])) from None

    def need(self, paths: Sequence[Path]) -> None:
        """Have the stack of the tests in ``paths`` up, its variables in the environment.

        Under xdist the controller is asked. Raises :class:`~tasklib.errors.TasklibError`.
        """
        if self._before or _is_given(self._config.invocation_params.dir):
            return
        if stack_of(self._config) == "none":
            raise UsageError("a test needs a stack", remedy="Leave `--stack none` out.")
        if controller := self._asked():
            self._set(controller.stack([str(path) for path in paths]))
        else:
            with _visible(self._config):
                if reporter := self._config.pluginmanager.getplugin("terminalreporter"):
                    reporter.ensure_newline()
                self._borrow("auto", paths)
        if not self._before:
            where = ", ".join(map(str, paths))
            raise UsageError(
                f"it is not known which stack {where} needs",
                remedy="Name it: `--stack own` or `--stack full`.",
            )

    def _borrow(self, stack: str, paths: Sequence[Path]) -> None:
        """Bring up ``stack``, unless whoever started us has; its variables are in the environment then."""
        if _is_given(self._config.invocation_params.dir):
            return
        from tasklib.lending.client import borrow
        from tasklib.pytest_plugin.lines import Lines

        marks = str(getattr(self._config.known_args_namespace, "markexpr", "") or "")
        fresh = bool(getattr(self._config.known_args_namespace, "stack_fresh", False))
        lines = Lines(self._config)
        try:
            self._loan = borrow(stack, paths, marks, lines, fresh=fresh)
        finally:
            lines.clear()
        if self.lent:
            self._set(self.lent.variables)
            lines.ready(self.lent)
        else:
            self._loan.close()  # nothing is needed, and nothing was brought up
            self._loan = None

    def _set(self, variables: Mapping[str, str]) -> None:
        self._before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)

    def configured(self) -> None:
        """Tests that are skipped without ``--integration`` have what they need."""
        up = getattr(self._config, "workerinput", {}).get(Asked.UP, bool(self.lent))
        if up and self._config.getoption("integration", None) is False:
            self._config.option.integration = True

    # -- xdist ----------------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker learns where its controller can be asked."""
        if self._controller is None:
            self._controller = Controller(self._answer)
        node.workerinput[Asked.ADDRESS] = self._controller.address
        node.workerinput[Asked.UP] = bool(self.lent)

    def _asked(self) -> Asked | None:
        address = getattr(self._config, "workerinput", {}).get(Asked.ADDRESS)
        return Asked(address) if address else None

    def _answer(self, request: Mapping[str, Any]) -> Reply:
        """What a worker is told; one at a time."""
        with self._lock:
            match request:
                case {"paths": list(paths)}:
                    self._borrow_once([Path(path) for path in paths])
                    return {"variables": dict(self.lent.variables) if self.lent else {}}
                case {"logs": since}:
                    return {"logs": list(self.logs(since))}
        return {}

    def _borrow_once(self, paths: Sequence[Path]) -> None:
        """The first worker's question has the stack brought up; what comes of it is everyone's answer."""
        if self._failure:
            raise self._failure
        if self._loan is None:
            try:
                self._borrow("auto", paths)
            except TasklibError as error:
                self._failure = error
                raise

    # -- while it is up -------------------------------------------------------------------------------------

    def logs(self, since: float = 0.0) -> tuple[str, ...]:
        """What the containers of these tests' stack said from ``since`` on, whoever brought it up."""
        if self._loan:
            return self._loan.logs(since)
        if controller := self._asked():
            return controller.logs(since)
        if self._view is None and (project := os.environ.get("COMPOSE_PROJECT_NAME")):
            from tasklib.lending.client import look

            self._view = look(project, self._config.invocation_params.dir)
        return self._view.logs(since) if self._view else ()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A failed test shows what the containers said since it began."""
        began = self._began.setdefault(report.nodeid, report.start)
        if report.when == "teardown":
            del self._began[report.nodeid]
        if report.failed and self._loan and self.lent and self._shown < _SHOWN:
            self._shown += 1
            if lines := self._loan.logs(began):
                report.sections.append((f"Logs of {self.lent.project}", "\n".join(lines)))

    def close(self) -> None:
        """Give back the stack; the environment is what it was."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {}
        if self._controller:
            self._controller.close()
            self._controller = None
        loans = [loan for loan in (self._loan, self._view) if loan]
        self._loan = self._view = None
        try:
            for loan in loans:
                loan.close()
        except KeyboardInterrupt:
            from tasklib.pytest_plugin.lines import Lines

            Lines(self._config).notice("the stack is removed in the background")


def _paths(config: pytest.Config) -> list[Path]:
    """The files and folders whose tests pytest was asked for."""
    here = config.invocation_params.dir
    named = [str(word).partition("::")[0] for word in config.known_args_namespace.file_or_dir]
    if not named and here == config.rootpath:
        for pattern in config.getini("testpaths"):
            named += sorted(map(str, here.glob(pattern)))
    found = [(here / name).resolve() for name in named if (here / name).exists()]
    return found or [here.resolve()]


def _is_given(folder: Path) -> bool:
    """Whether whoever started us has brought up what these tests need: tasklib, or a shell by its variables.

    What was given to the tests of another checkout says nothing about these.
    """
    known = os.environ
    endpoints = any(re.fullmatch(r"TEST_[A-Z0-9_]+_URL", name) for name in known)
    if "TEST_INSTANCE_ID" not in known or not (endpoints or "TASKLIB_RUNS" in known):
        return False
    from tasklib.instance.identity import EXPORTED, known_id
    from tasklib.project import find_project

    owner = known.get(EXPORTED, "").partition("/")[0]
    try:
        return not owner or known_id(find_project(folder).root) == owner
    except TasklibError:
        return True


def _visible(config: pytest.Config) -> AbstractContextManager[None]:
    """What is written meanwhile reaches the terminal although a test's output is captured."""
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    return capture.global_and_fixture_disabled() if capture else nullcontext()

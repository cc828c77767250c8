"""Tests whose process gets ready before what they are run against is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack

from msgspec import Struct
from msgspec.structs import replace

from tasklib import process
from tasklib.errors import ConfigError, TasklibError
from tasklib.events import Event
from tasklib.pipeline.runners import run_suite
from tasklib.pipeline.runners.gate import Gate
from tasklib.pipeline.runners.launching import Launcher
from tasklib.pipeline.suites.node import node_variables, scripts_in
from tasklib.pipeline.suites.suite import Suite
from tasklib.pipeline.suites.watchers import watcher
from tasklib.results import TargetResult

__all__ = ["TargetTests"]

_SOON = 10.0
"""Seconds that a process which nobody needs any more is given to leave by itself: it may be installing what
its environment lacks, and what is half installed stays so."""


class _Waiting(Struct, frozen=True):
    """A process that gets ready, and what it was given to know."""

    suite: Suite
    gate: Gate
    result: Future[TargetResult]


class TargetTests:
    """The tests of one target, whose process may be started before what they are run against is there.

    It does all that takes long by then, bringing its environment up to date, starting Python and importing
    pytest, and waits. Nothing of the project is loaded before the tests are run.
    """

    def __init__(
        self,
        plan: Callable[[], Suite],
        env: Mapping[str, str],
        emit: Callable[[Event], None],
        cancel: process.Cancel,
    ) -> None:
        """``plan`` tells the suite; ``env`` is the environment as far as it is known before they are run."""
        self.plan = plan
        self._env = env
        self._emit = emit
        self._cancel = process.Cancel(cancel)
        self._lock = threading.Lock()
        self._held = ExitStack()
        self._early = True
        self._waiting: _Waiting | None = None

    def get_ready(self) -> None:
        """Start the process, unless it could not wait, or is started already."""
        with self._lock:
            if not self._early or self._cancel.is_set():
                return
            self._early = False
            try:
                suite = self.plan()
                if suite.waits and not suite.skip:
                    self._waiting = self._start(suite)
            except (TasklibError, OSError):
                pass  # Whoever runs the tests is told what is wrong, if it still is.

    def _start(self, suite: Suite) -> _Waiting:
        gate = Gate(self._held.enter_context(process.scratch_folder()))
        pool = self._held.enter_context(ThreadPoolExecutor(1))
        self._held.callback(gate.close)
        return _Waiting(suite, gate, pool.submit(run_suite, suite, self._env, self._emit, self._cancel, gate))

    def run(self, variables: Mapping[str, str]) -> TargetResult:
        """Run the tests, with ``variables`` added to the environment.

        Raises as :func:`~tasklib.pipeline.suites.planning.plan_suite` does.
        """
        with self._lock:
            self._early = False
        whole = {**self._env, **variables}
        if waiting := self._waiting:
            try:
                waiting.gate.open(_news(waiting.suite, self._env, whole))
            except OSError:
                pass  # The disk is full, most likely: this one leaves, and the next one says so.
            else:
                return waiting.result.result()
        return run_suite(self.plan(), whole, self._emit, self._cancel)

    def run_inside(self, launch: Launcher, env: Mapping[str, str]) -> TargetResult:
        """Run the tests where ``launch`` starts them, with the environment ``env`` and their own.

        Raises as :func:`~tasklib.pipeline.suites.planning.plan_suite` does.
        """
        suite = self.plan()
        if not suite.argv:
            suite = _by_itself(suite, launch.by_itself())
        suite = replace(suite, argv=tuple(_named(launch, suite, word) for word in suite.argv))
        return run_suite(suite, env, self._emit, self._cancel, launch=launch)

    def close(self) -> None:
        """End what has not ended by itself; nothing is started any more."""
        with self._lock:
            self._early = False
            if self._waiting:
                self._waiting.gate.close()
                wait([self._waiting.result], _SOON)
            self._cancel.set("not needed any more")
            self._held.close()


def _named(launch: Launcher, suite: Suite, word: str) -> str:
    """A folder of the suite's, or the id of a test, as the container has it; any other word as it is."""
    path, found, test = word.partition("::")
    if word not in suite.paths and not (found and path.endswith(".py")):
        return word
    return f"{launch.named(suite.cwd / path, path)}{found}{test}"


def _by_itself(suite: Suite, words: Sequence[str]) -> Suite:
    """``suite``, whose command is what its container does by itself: ``words``.

    Raises :class:`~tasklib.errors.ConfigError` where that never ends.
    """
    if found := watcher(words, scripts_in(suite.folder)):
        raise ConfigError(
            f"{suite.inside} runs `{found}`, which waits for changes and never ends",
            where=str(suite.folder),
            remedy="Give a command that tests once as `command`, beside `in`.",
        )
    env = {**node_variables(words), **suite.env}
    return replace(suite, env=env)


def _news(suite: Suite, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The variables of the test process that ``after`` gives it and ``before`` did not."""
    from tasklib.pipeline.runners.pytest import environment

    had = environment(suite, before)
    return {name: value for name, value in environment(suite, after).items() if had.get(name) != value}

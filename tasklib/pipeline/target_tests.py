"""Tests whose process gets ready before what they are run against is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from tasklib import process
from tasklib.errors import TasklibError
from tasklib.events import Event, TargetResult
from tasklib.pipeline.runners import run_suite
from tasklib.pipeline.runners.gate import Gate, gate
from tasklib.pipeline.suite import Suite

__all__ = ["TargetTests"]


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
        self._plan = plan
        self._env = env
        self._emit = emit
        self._cancel = process.Cancel(cancel)
        self._lock = threading.Lock()
        self._held = ExitStack()
        self._waiting: tuple[Suite, Gate, Future[TargetResult]] | None = None

    def get_ready(self) -> None:
        """Start the process, unless it could not wait or does so already."""
        with self._lock:
            if self._waiting or self._cancel.is_set():
                return
            try:
                suite = self._plan()
            except TasklibError:
                return  # Whoever runs it is told.
            if suite.launcher and not suite.skip:
                self._waiting = self._start(suite)

    def _start(self, suite: Suite) -> tuple[Suite, Gate, Future[TargetResult]]:
        from tasklib.pipeline.runners.pytest import run_pytest

        closed = self._held.enter_context(gate())
        pool = self._held.enter_context(ThreadPoolExecutor(1))
        return suite, closed, pool.submit(run_pytest, suite, self._env, self._emit, self._cancel, closed)

    def run(self, variables: Mapping[str, str]) -> TargetResult:
        """Run the tests, with ``variables`` added to the environment.

        Raises as :func:`~tasklib.pipeline.suites.plan_suite` does.
        """
        with self._lock:
            waiting = self._waiting
        whole = {**self._env, **variables}
        if waiting is None:
            return run_suite(self._plan(), whole, self._emit, self._cancel)
        suite, closed, result = waiting
        closed.open(_news(suite, self._env, whole))
        return result.result()

    def close(self) -> None:
        """End what has not ended by itself; nothing is started any more."""
        self._cancel.set("not needed any more")
        with self._lock:
            self._held.close()


def _news(suite: Suite, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The variables of the test process that ``after`` gives it and ``before`` did not."""
    from tasklib.pipeline.runners.pytest import environment

    had = environment(suite, before)
    return {name: value for name, value in environment(suite, after).items() if had.get(name) != value}

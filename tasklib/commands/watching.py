"""Test again what a saved file touches, on stacks that stay up, until the user ends it."""

from __future__ import annotations

import importlib.util
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tasklib.commands.console import complain
from tasklib.errors import EngineError, Interrupted, NothingRan, TasklibError, UsageError
from tasklib.shown.cutting import several

if TYPE_CHECKING:
    from tasklib.pipeline.options import Options
    from tasklib.pipeline.session import Session
    from tasklib.process import Cancel
    from tasklib.project import Project
    from tasklib.results import RunResult, Stage

__all__ = ["Round", "watch"]

Round = Callable[["Project", "Options", "Session", "Cancel"], "RunResult"]
"""One run with its output."""

_NAMED = 3
"""How many changed files a line names."""


def watch(
    project: Project, stages: Sequence[Stage], options: Options, run: Round, tell: Callable[[str], None]
) -> int:
    """Run once, then whenever something that is saved touches tests; returns the code of an interrupt.

    ``tell`` prints a line. Raises :class:`~tasklib.errors.UsageError` where the library that watches files is
    not installed, and a :class:`~tasklib.errors.TasklibError` where there is nothing to run, or no engine.
    """
    from tasklib import process
    from tasklib.checkout import find_checkout
    from tasklib.pipeline.plan import needs_stack, plan
    from tasklib.pipeline.session import open_session
    from tasklib.process.interrupts import interruptible

    if importlib.util.find_spec("watchfiles") is None:
        raise UsageError(
            "--watch needs watchfiles, which is not installed",
            remedy="Install it with the extra: pip install 'tasklib-stages[watch]'",
        )
    cancel = process.Cancel()
    watching = _Watching(stages, options, run, tell, find_checkout(project.root).root, cancel)
    with interruptible(cancel, complain):
        try:
            while not cancel.is_set():
                # Settings decide what a stack is: where they change, all start anew.
                engine = any(needs_stack(project, target) for target in plan(project, stages, options))
                try:
                    with open_session(project, options, _told, engine=engine) as session:
                        project = watching.rounds(project, session)
                except EngineError as error:
                    project = watching.without_engine(project, error)
        finally:
            watching.end()
    return Interrupted.exit_code


def _told(event: object) -> None:
    text = getattr(event, "text", "")
    if text:
        complain(text)


class _Watching:
    """The rounds, and what makes the next one start."""

    def __init__(
        self,
        stages: Sequence[Stage],
        options: Options,
        run: Round,
        tell: Callable[[str], None],
        root: Path,
        cancel: Cancel,
    ) -> None:
        from tasklib import process
        from tasklib.changes.saved import Saved

        self._stages = stages
        self._wanted = options.names
        self._options = options
        self._run = run
        self._tell = tell
        self._root = root
        self._cancel = cancel
        self._stop = process.Cancel(cancel)
        self._saved = Saved(root)
        self._ran = False
        self._skipped: frozenset[str] = frozenset()
        self._written: queue.SimpleQueue[frozenset[Path] | None] = queue.SimpleQueue()
        # In a thread: what is saved while tests run is not missed.
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        from watchfiles import watch

        try:
            for changes in watch(self._root, stop_event=self._stop, raise_interrupt=False):
                self._written.put(frozenset(Path(path) for _, path in changes))
        finally:
            self._written.put(None)

    def end(self) -> None:
        """Watch no more."""
        self._stop.set("not needed any more")

    def rounds(self, project: Project, session: Session) -> Project:
        """Run, and again after each change, until the user ends it, the project's settings change or all
        engines are gone: another session may find them again."""
        while True:
            self._once(project, session)
            now = self._next(project)
            if self._cancel.is_set() or now != project or session.lost:
                return now

    def without_engine(self, project: Project, error: EngineError) -> Project:
        """Wait for another change. Raises ``error`` where there was no engine from the start."""
        if not self._ran:
            raise error
        complain(str(error))
        return self._next(project)

    def _next(self, project: Project) -> Project:
        """The project as it is once something is to be tested, or when the user has ended it."""
        if not self._cancel.is_set():
            self._tell(f"watching {self._root}; Ctrl-C ends it and removes what is up")
            now, names = self._wait(project)
            if names:
                self._options = replace(self._options, names=names, passed={})
                return now
            self._cancel.set("nothing is watched any more")
        return project

    def _once(self, project: Project, session: Session) -> None:
        from tasklib.results import Outcome

        began = time.time()
        try:
            result = self._run(project, self._options, session, self._cancel)
        except NothingRan as error:
            complain(str(error))
        except TasklibError as error:
            if not self._ran:
                raise
            complain(str(error))
        else:
            self._ran = True
            self._skipped = frozenset(
                found.target.service
                for found in result.targets
                if found.outcome is Outcome.SKIPPED and not found.passed_at
            )
        finally:
            self._saved.tested(began, time.time())

    def _wait(self, project: Project) -> tuple[Project, tuple[str, ...]]:
        """The project and the names whose tests the next change touches, with those that were skipped.

        No names at the end. What cannot be understood yet, such as settings half written, counts with the
        change after it.
        """
        pending: set[Path] = set()
        while (written := self._written.get()) is not None:
            changed = self._saved.changed(written)
            if not changed:
                continue
            pending.update(changed)
            try:
                now = self._read_again(project)
                names = self._touched(project, now, sorted(pending))
            except TasklibError as error:
                complain(str(error))
                continue
            said = f"changed: {several([self._inside(path) for path in sorted(pending)], _NAMED)}"
            if names:
                self._tell(f"{said}: {', '.join(names)}")
                from tasklib.project import targets

                there = {target.service for target in targets(now, self._stages)}
                return now, tuple(dict.fromkeys([*names, *sorted(self._skipped & there)]))
            self._tell(f"{said}: touches none of these tests")
            pending.clear()
        return project, ()

    def _read_again(self, project: Project) -> Project:
        """The project as it is now. Raises where there would be nothing to run, as at the start."""
        from tasklib.pipeline.plan import plan
        from tasklib.project import find_project

        now = find_project(project.root)
        if now != project:
            plan(now, self._stages, replace(self._options, names=self._wanted, passed={}))
        return now

    def _touched(self, before: Project, now: Project, changed: Sequence[Path]) -> tuple[str, ...]:
        """The names, of those that are wanted, whose tests are touched or are new."""
        from tasklib.changes.saved import touched_by
        from tasklib.pipeline.plan import matching
        from tasklib.project import targets

        known = {target.service for target in targets(before, self._stages)}
        new = [target.service for target in targets(now, self._stages) if target.service not in known]
        touched = dict.fromkeys([*touched_by(now, changed, self._cancel).tests, *new])
        names = tuple(name for name in touched if not self._wanted or name in self._wanted)
        fitting = names and matching(now, self._stages, replace(self._options, names=names))
        return names if fitting else ()

    def _inside(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

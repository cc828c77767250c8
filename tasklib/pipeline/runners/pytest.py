"""Runs a pytest suite and turns what the injected plugin reports into events and a result."""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from tasklib import process
from tasklib.errors import Interrupted
from tasklib.events import Event, Outcome, Output, Progress, TargetResult, TestOutcome, TestResult
from tasklib.pipeline.runners import stacks, texts, wire
from tasklib.pipeline.runners.tally import Tally
from tasklib.pipeline.runners.verdict import Ending, how_it_ended, judge
from tasklib.pipeline.suite import Suite

__all__ = ["INJECT", "run_pytest"]

INJECT = Path(__file__).parent.parent / "inject"
"""The folder that is put on PYTHONPATH: it holds the injected plugin and nothing else."""

_REMEMBERED = 30
"""Lines of each stream kept for a process that ends without saying why."""


def run_pytest(
    suite: Suite, env: Mapping[str, str], emit: Callable[[Event], None], cancel: process.Cancel
) -> TargetResult:
    """Run ``suite`` with the whole environment ``env``; see :func:`tasklib.pipeline.runners.run_suite`."""
    began = time.monotonic()
    session = _Session(suite, emit)
    with tempfile.TemporaryDirectory(prefix="tasklib-") as scratch:
        path = Path(scratch) / "events"
        with wire.EventFile(path) as events:

            def read() -> None:
                for message in events.messages():
                    session.take(message)

            def time_is_up() -> None:
                read()
                session.stacks = stacks.dump(path, session.pids)

            code: int | None = None
            try:
                code = process.stream(
                    suite.argv,
                    on_line=session.line,
                    cwd=suite.cwd,
                    env=environment(suite, env, path),
                    timeout=suite.timeout,
                    cancel=cancel,
                    on_tick=read,
                    on_timeout=time_is_up,
                )
            except process.TimedOut:
                read()
            except Interrupted as error:
                read()
                return session.result(
                    Outcome.INTERRUPTED, str(error), error.exit_code, time.monotonic() - began
                )
            except process.CommandError as error:
                return session.result(Outcome.ERROR, error.what, error.exit_code, time.monotonic() - began)
            read()
    verdict = judge(session.ending(code))
    return session.result(verdict.outcome, verdict.reason, verdict.exit_code, time.monotonic() - began)


def environment(suite: Suite, env: Mapping[str, str], events: Path) -> dict[str, str]:
    """The environment of the test process: the plugin's folder comes first, the user's own follow."""
    merged = {**env, **suite.env}
    for name in suite.unset:
        merged.pop(name, None)
    own = merged.get("PYTHONPATH", "")
    merged["PYTHONPATH"] = f"{INJECT}{os.pathsep}{own}" if own else str(INJECT)
    merged["TASKLIB_EVENTS"] = str(events)
    if suite.fullstack:
        merged["TASKLIB_FULLSTACK"] = suite.fullstack
    return merged


class _Session:
    """Folds one pytest process's messages and lines."""

    def __init__(self, suite: Suite, emit: Callable[[Event], None]) -> None:
        self.suite = suite
        self.pids: list[int] = []
        self.stacks = ""
        self._emit = emit
        self._tally = Tally(suite.target, emit)
        self._root = str(suite.folder)
        self._files: dict[str, str] = {}
        self._lines: dict[str, deque[str]] = {
            name: deque(maxlen=_REMEMBERED) for name in ("stdout", "stderr")
        }
        self._end: wire.End | None = None
        self._deselected = 0
        self._stopped = ""
        self._trouble: tuple[str, str] | None = None

    def line(self, name: str, text: str) -> None:
        self._lines[name].append(text)
        self._emit(Output(self.suite.target, text))

    def take(self, message: wire.Message) -> None:
        match message:
            case wire.Finish():
                self._tally.finished(self._test(message), message.worker)
            case wire.Start():
                self._tally.started(message.id, message.worker)
            case wire.Hello():
                self.pids.append(message.pid)
                if not message.worker:
                    self._root = message.root
                    self._emit(Progress(self.suite.target, "collecting tests"))
            case wire.Collected():
                self._deselected = max(self._deselected, message.deselected)
                if not message.worker:
                    self._emit(Progress(self.suite.target, ""))
                    self._tally.collected(message.n)
            case wire.Absent():
                file = self._file(message.id.split("::")[0])
                self._tally.added(TestResult(message.id, TestOutcome.SKIPPED, file=file, message=message.why))
            case wire.Broken():
                self._broken(message)
            case wire.Stop():
                self._stopped = self._interruption(message)
            case wire.End():
                self._end = message

    def ending(self, code: int | None) -> Ending:
        """What the verdict is made from, once the process is gone; tests cut short become results."""
        running = tuple(test for test, _ in self._tally.running.values())
        if code is None or self._end is None:
            self._cut_short(code)
        last = texts.tail([*self._lines["stderr"]] or [*self._lines["stdout"]], 3)
        return Ending(
            code=code,
            counts=self._tally.counts,
            spoke=bool(self.pids),
            ended=self._end.code if self._end else None,
            only_collected=bool(self._end and self._end.only_collected),
            running=running,
            deselected=self._deselected,
            keyword=self.suite.keyword,
            paths=self.suite.paths,
            stopped=self._stopped,
            trouble=self._trouble,
            coverage=self._end.coverage if self._end else None,
            limit=self.suite.timeout or 0.0,
            last=texts.shorten(last),
        )

    def result(self, outcome: Outcome, reason: str, exit_code: int, seconds: float) -> TargetResult:
        return TargetResult(
            self.suite.target,
            outcome,
            reason=reason,
            counts=self._tally.counts,
            failures=tuple(self._tally.failures),
            slowest=self._tally.slowest,
            seconds=seconds,
            exit_code=exit_code,
        )

    def _test(self, finish: wire.Finish) -> TestResult:
        setup, call, teardown = finish.seconds
        outcome = TestOutcome(finish.outcome)
        if not finish.failures:
            file = self._file(finish.id.split("::", 1)[0])
            return TestResult(
                finish.id, outcome, setup, call, teardown, file=file, message=texts.shorten(finish.why)
            )
        # What its subtests failed for says more than the count of them that the test itself fails with.
        failures = [failure for failure in finish.failures if failure.sub] or list(finish.failures)
        first = failures[0]
        file = first.file or finish.file or finish.id.split("::", 1)[0]
        return TestResult(
            finish.id,
            outcome,
            setup,
            call,
            teardown,
            file=self._file(file),
            line=first.line or finish.line,
            message=_message(failures),
            detail="\n\n".join(_titled(failure, len(failures) > 1) for failure in failures),
            output=texts.printed(finish.sections),
        )

    def _broken(self, message: wire.Broken) -> None:
        said = texts.one_line(message.message) or texts.last_error(message.detail)
        if message.kind != "collection":
            # The first trouble is the cause: a plugin that broke often breaks again on the way out.
            where = f"{self._file(message.id)}: " if message.id else ""
            self._trouble = self._trouble or (message.kind, f"{where}{said}")
            if not message.detail:
                return
        name = message.id or message.kind
        file = self._file(message.id.split("::")[0]) if message.id else None
        self._tally.added(TestResult(name, TestOutcome.ERROR, file=file, message=said, detail=message.detail))

    def _interruption(self, message: wire.Stop) -> str:
        if message.kind == "KeyboardInterrupt":
            running = [test for test, _ in self._tally.running.values()]
            return f"KeyboardInterrupt in {', '.join(running)}" if running else "KeyboardInterrupt"
        return texts.shorten(message.why) or message.kind

    def _cut_short(self, code: int | None) -> None:
        if code is None:
            message = f"still running at the time limit of {self.suite.timeout or 0:g} s"
            detail = self.stacks
        else:
            message = f"the test process ended in this test ({how_it_ended(code)})"
            detail = "\n".join(self._lines["stderr"])
        for worker, (test, began) in tuple(self._tally.running.items()):
            name = test.split("::", 1)[0]
            line = stacks.line_in(detail, os.path.normpath(f"{self._root}/{name}"))
            result = TestResult(
                test,
                TestOutcome.ERROR,
                call=time.monotonic() - began,
                file=self._file(name),
                line=line,
                message=message,
                detail=stacks.lean(detail),
            )
            self._tally.finished(result, worker)

    def _file(self, name: str) -> str:
        """``name`` (relative to pytest's root) relative to the target's folder."""
        found = self._files.get(name)
        if found is None:
            found = os.path.relpath(f"{self._root}/{name}", self.suite.folder)
            self._files[name] = found
        return found


def _message(failures: list[wire.Failure]) -> str:
    first = failures[0]
    said = texts.one_line(first.message) or texts.last_error(first.detail)
    name = f"{first.sub} " if first.sub else "teardown: " if first.when == "teardown" else ""
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{name}{said}{more}"


def _titled(failure: wire.Failure, several: bool) -> str:
    return f"{failure.when} {failure.sub}".rstrip() + f":\n{failure.detail}" if several else failure.detail

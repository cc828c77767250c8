"""One test process: what it reports through the event file, folded into events and a result."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from tasklib.events import Event, Notice, Output, Progress
from tasklib.pipeline.runners import texts, tracebacks, wire
from tasklib.pipeline.runners.failed import message_of, titled
from tasklib.pipeline.runners.tally import Tally
from tasklib.pipeline.runners.verdict import Ending, how_it_ended, judge, why_unfinished
from tasklib.pipeline.suites.suite import PLUGIN, Suite
from tasklib.results import Outcome, TargetResult, TestOutcome, TestResult
from tasklib.shown.cleaning import visible
from tasklib.shown.masking import mask, masked

__all__ = ["Session"]

_REMEMBERED = 200
"""Lines of each stream kept for a process that ends without saying why: a stack is longer than one thinks."""

_NO = ("", "")


class Session:
    """Folds the messages and lines of one process of ``suite``."""

    def __init__(self, suite: Suite, emit: Callable[[Event], None]) -> None:
        self.suite = suite
        self.tally = Tally(suite.target, emit, suite.slow)
        self.pids: dict[str, int] = {}
        """By worker; the main process has no name."""
        self.stacks: dict[str, str] = {}
        """By worker: where it stood when its time was up."""
        self._emit = emit
        self._root = str(suite.folder)
        self._files: dict[str, str] = {}
        self._lines: dict[str, deque[str]] = {
            name: deque(maxlen=_REMEMBERED) for name in ("stdout", "stderr")
        }
        self._end: wire.End | None = None
        self._deselected = 0
        self._importing = ""
        self._stop: wire.Stop | None = None
        self._stopped = ""
        self._trouble: tuple[str, str] | None = None
        self._began = time.monotonic()

    def line(self, name: str, text: str) -> None:
        text = texts.bounded(mask(text))
        self._lines[name].append(text)
        self._emit(Output(self.suite.target, text))

    @property
    def announced(self) -> int | None:
        """The exit code that the runner said it would end with, once it has."""
        return None if self._end is None else self._end.code

    @property
    def running(self) -> tuple[str, ...]:
        return tuple(test for test, _ in self.tally.running.values())

    def lingers(self, seconds: float) -> None:
        """Its tests are done, and the process has not exited for ``seconds``."""
        self._emit(
            Progress(self.suite.target, f"tests done {seconds:g} s ago, waiting for the process to exit")
        )

    def left_behind(self, seconds: float) -> None:
        """The process was ended ``seconds`` after its tests, as it did not exit: say what kept it."""
        found = tracebacks.what_stays(self.stacks.get("", ""), str(self.suite.folder))
        text = f"the tests were done, but the process did not exit within {seconds:.0f} s and was ended"
        why = f": {found}" if found else ""
        self._emit(Notice(f"{text}{why}", "warning", self.suite.target))

    def take(self, message: wire.Message) -> None:
        message = masked(message)  # before anybody cuts it
        match message:
            case wire.Finish():
                self.tally.finished(self._test(message), message.worker, message.at)
            case wire.Start():
                self.tally.started(visible(message.id), message.worker, message.at)
            case wire.Hello():
                self.pids[message.worker] = message.pid
                if not message.worker:
                    self._root = self._here(message)
                    self._emit(Progress(self.suite.target, "collecting tests"))
            case wire.Importing():
                self._importing = visible(message.id)
            case wire.Collected():
                self._importing = ""
                self._deselected = max(self._deselected, message.deselected)
                if not message.worker:
                    self._emit(Progress(self.suite.target, ""))
                    self.tally.collected(message.n)
            case wire.Shared():
                self.tally.split = message.digest
            case wire.Absent():
                file = self.file(message.id.split("::")[0])
                self.tally.added(TestResult(message.id, TestOutcome.SKIPPED, file=file, message=message.why))
            case wire.Broken():
                self._broken(message)
            case wire.Stop():
                self._stop, self._stopped = message, self._interruption(message)
            case wire.End():
                self._end = message
                self.tally.warnings = message.warnings
            case wire.Left():
                pass  # Counted with what was collected.

    def finish(self, code: int | None, silent: float = 0.0) -> TargetResult:
        """The result, once the process is gone: ``code`` is its exit code, ``None`` if its time was up.

        ``silent`` is for how many seconds it had said nothing when that was why. Tests that were cut short
        become results first.
        """
        running = self.running
        collected = self.tally.counts.total > 0
        if code is None or self._end is None or self._stopped_in_test():
            self._cut_short(code, silent)
        else:
            running = ()
        last = texts.complaint(texts.without_warnings(self._lines["stderr"]))
        last = last or texts.complaint(texts.without_progress(self._lines["stdout"]))
        end = self._end
        verdict = judge(
            Ending(
                runner=str(self.suite.kind),
                code=code,
                counts=self.tally.counts,
                spoke=bool(self.pids),
                ended=end.code if end else None,
                only_collected=bool(end and end.only_collected),
                asked=self._typed("--co", "--collect-only", "--setup-only", "--setup-plan"),
                left=end.left if end and not self._typed(end.left) else "",
                collected=collected,
                running=running,
                importing=self._importing,
                deselected=self._deselected,
                keyword=self.suite.keyword,
                paths=self.suite.paths,
                stopped=self._stopped,
                trouble=self._trouble,
                coverage=end.coverage if end else None,
                limit=self.suite.timeout or 0.0,
                silent=silent,
                chosen=self._chosen_elsewhere(),
                last=last,
                part=str(self.suite.share.part) if self.suite.share and self.suite.share.part.of > 1 else "",
            )
        )
        if end and end.seed and self.tally.failures:
            said = f"`-- --randomly-seed={end.seed}` repeats the order and the random values of its tests"
            self._emit(Notice(said, "info", self.suite.target))
        return self.result(verdict.outcome, verdict.reason, verdict.exit_code)

    def result(self, outcome: Outcome, reason: str = "", exit_code: int = 0) -> TargetResult:
        return TargetResult(
            self.suite.target,
            outcome,
            reason=reason,
            counts=self.tally.counts,
            failures=tuple(self.tally.failures),
            slowest=self.tally.slowest,
            slow=self.tally.slow,
            seconds=time.monotonic() - self._began,
            exit_code=exit_code,
        )

    def file(self, name: str) -> str:
        """``name`` (relative to the runner's root) relative to the target's folder."""
        found = self._files.get(name)
        if found is None:
            found = os.path.relpath(f"{self._root}/{name}", self.suite.folder)
            self._files[name] = found
        return found

    def _here(self, message: wire.Hello) -> str:
        """The runner's root on this machine: in a container, the folder it starts in stands for ours."""
        if not self.suite.inside or not message.dir:
            return message.root
        return os.path.normpath(self.suite.cwd / os.path.relpath(message.root, message.dir))

    def _file_of(self, test: str) -> str:
        return self.file(test.split("::", 1)[0].split(" > ", 1)[0])

    def _test(self, finish: wire.Finish) -> TestResult:
        setup, call, teardown = finish.seconds
        name, outcome = visible(finish.id), TestOutcome(finish.outcome)
        if not finish.failures:
            why = texts.shorten(finish.why)
            return TestResult(
                name, outcome, setup, call, teardown, file=self._file_of(finish.id), message=why
            )
        # What its subtests failed for says more than the count of them that the test itself fails with.
        failures = [failure for failure in finish.failures if failure.sub] or list(finish.failures)
        first = failures[0]
        place = first.file or finish.file
        return TestResult(
            name,
            outcome,
            setup,
            call,
            teardown,
            file=self.file(place) if place else self._file_of(finish.id),
            line=first.line or finish.line,
            message=message_of(failures),
            detail="\n\n".join(titled(failure, len(failures) > 1) for failure in failures),
            output=texts.printed(finish.sections),
        )

    def _broken(self, message: wire.Broken) -> None:
        said = texts.one_line(message.message) or texts.gist(message.detail)
        if message.kind != "collection":
            # The first trouble is the cause: a plugin that broke often breaks again on the way out.
            line = f":{message.line}" if message.line else ""
            where = f"{self._file_of(message.id)}{line}: " if message.id else ""
            self._trouble = self._trouble or (message.kind, f"{where}{said}")
            if not message.detail:
                return
        file = self._file_of(message.id) if message.id else None
        name, detail = visible(message.id or message.kind), texts.plain(message.detail)
        self.tally.added(
            TestResult(name, TestOutcome.ERROR, file=file, line=message.line, message=said, detail=detail)
        )

    def _interruption(self, message: wire.Stop) -> str:
        if message.kind == "KeyboardInterrupt":
            running = [test for test, _ in self.tally.running.values()]
            return f"KeyboardInterrupt in {', '.join(running)}" if running else "KeyboardInterrupt"
        return texts.shorten(message.why) or message.kind

    def _stopped_in_test(self) -> bool:
        """Whether the session was stopped by what ran: ``-x`` stops between tests, and those of other workers
        that it cuts off are no errors. A worker that was stopped is reported by xdist."""
        return self._stop is not None and self._stop.kind in ("KeyboardInterrupt", "Exit")

    def _chosen_elsewhere(self) -> tuple[str, str]:
        """The option that narrows the tests although nobody typed it, and its value; else nothing.

        A ``-m`` before our own options belongs to ``python -m``.
        """
        end = self._end
        said = {"-m": end.marks, "-k": end.words} if end else {}
        found = ((option, value) for option, value in said.items() if value and not self._typed(option))
        return next(found, _NO)

    def _typed(self, *options: str) -> bool:
        argv = self.suite.argv
        ours = argv[argv.index(PLUGIN) :] if PLUGIN in argv else argv
        return any(word.startswith(options) for word in ours)

    def _cut_short(self, code: int | None, silent: float) -> None:
        message = why_unfinished(code, silent, self.suite.timeout or 0, self._stop if self._end else None)
        # Most write their stacks to stderr; pytest-timeout writes them where pytest prints.
        both = ("\n".join(self._lines[name]) for name in ("stderr", "stdout"))
        died = next(filter(tracebacks.has_frames, both), "")
        stopped = bool(self._end and self._stop)
        died = tracebacks.from_stacks(died) or ("" if stopped else "\n".join(self._lines["stderr"]))
        running = tuple(self.tally.running.items())
        for worker, (test, began) in running:
            detail = self.stacks.get(worker, "") if code is None else died
            idle = code is None and tracebacks.awaits(detail, str(self.suite.folder))
            file = self._file_of(test)
            line = tracebacks.line_in(detail, os.path.normpath(f"{self.suite.folder}/{file}"))
            result = TestResult(
                test,
                TestOutcome.ERROR,
                call=time.time() - began,
                file=file,
                line=line,
                message=f"{message}: it awaits what never comes" if idle else message,
                detail="" if idle else tracebacks.lean(detail),
            )
            self.tally.finished(result, worker)
        if code is not None and not running and self._importing:
            self._lost_import(f"the test process ended while it was imported ({how_it_ended(code)})", died)
        if code is None and not running and self.stacks.get(""):
            # It hangs where no test is: in a module that is imported, most often.
            name = "between tests" if self.tally.counts.total else "collection"
            detail = tracebacks.lean(self.stacks[""])
            self.tally.added(TestResult(name, TestOutcome.ERROR, message=message, detail=detail))

    def _lost_import(self, message: str, died: str) -> None:
        file = self._file_of(self._importing)
        line = tracebacks.line_in(died, os.path.normpath(f"{self.suite.folder}/{file}"))
        found = TestResult(self._importing, TestOutcome.ERROR, file=file, line=line, message=message)
        self.tally.added(replace(found, detail=tracebacks.lean(died)))

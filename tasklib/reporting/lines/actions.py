"""GitHub and Gitea Actions: groups, annotations on files and lines, and the job summary.

Sources of facts: GitHub's documentation of workflow commands, and of job summaries.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TextIO

from tasklib.events import Event, Notice, Output, RunFinished, TargetFinished
from tasklib.reporting.folds.run import RunState
from tasklib.reporting.folds.slowest import Slowest
from tasklib.reporting.lines.markdown import job_summary
from tasklib.reporting.lines.plain import PlainSink
from tasklib.reporting.words.explanation import explain
from tasklib.reporting.words.failures import short_id, shown_path
from tasklib.reporting.words.text import lines, one_line, write
from tasklib.results import RAN, Outcome, RunResult, Target, TargetResult, TestResult
from tasklib.shown.cleaning import neutral, unmarked

__all__ = ["ActionsSink", "command"]

MAX_ANNOTATIONS = 30
"""GitHub shows ten a step; a log with thousands helps nobody."""

GROUP_LINES = 2000
"""The last lines of a failed target's output that its group holds."""


def command(name: str, message: str = "", **properties: str | int | None) -> str:
    """A workflow command on one line, whatever the values hold; properties without a value are left out."""
    given = ",".join(
        f"{key}={_escaped(str(value), ',:')}" for key, value in properties.items() if value not in (None, "")
    )
    return f"::{name}{f' {given}' if given else ''}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for char in f"%\r\n{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return unmarked(text)


class ActionsSink:
    """Plain lines, then for each failed target its whole output in a group and annotations.

    ``summary`` is the file that takes the job summary, ``workspace`` the folder that annotations name files
    relative to: the checkout of the job.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        verbose: bool = False,
        base: str = "",
        slowest: Slowest | None = None,
        summary: Path | None = None,
        workspace: str = "",
    ) -> None:
        self._stream = stream
        self._plain = PlainSink(stream, verbose=verbose, base=base, slowest=slowest, escape=neutral)
        self._verbose = verbose
        self._base = base
        self._summary = summary
        self._workspace = workspace or base
        self._output: dict[Target, deque[str]] = {}
        self._annotations = 0

    def tell(self, event: Event, run: RunState) -> None:
        if isinstance(event, RunFinished):
            self._write_summary(event.result, run)
        self._plain.tell(event, run)
        match event:
            case Output() if not self._verbose:
                kept = self._output.setdefault(event.target, deque(maxlen=GROUP_LINES))
                kept.extend(lines(event.line))
            case Notice() if event.level != "info":
                self._annotate(event.level, str(event.target or ""), event.text)
            case TargetFinished():
                self._finish(event.result, run)

    def _finish(self, result: TargetResult, run: RunState) -> None:
        output = self._output.pop(result.target, ())
        if result.outcome not in (Outcome.FAILED, Outcome.ERROR, Outcome.INTERRUPTED):
            return
        if output:
            title = command("group", f"all output of {result.target}")
            self._print(title, *map(neutral, output), command("endgroup"))
        for test in result.failures:
            self._annotate_test(result.target, test, run)
        if result.outcome is Outcome.INTERRUPTED:
            if RAN in result.reason:
                self._annotate("warning", str(result.target), result.reason)
        elif not result.failures:
            self._annotate("error", str(result.target), result.reason or str(result.outcome))

    def _annotate_test(self, target: Target, test: TestResult, run: RunState) -> None:
        file = shown_path(test.file, run.folder(target), self._workspace) if test.file else None
        title = f"{target}: {short_id(test.id)}"
        self._annotate("error", title, "\n".join(explain(test)), file=file, line=test.line)

    def _annotate(
        self, level: str, title: str, message: str, *, file: str | None = None, line: int | None = None
    ) -> None:
        self._annotations += 1
        if self._annotations > MAX_ANNOTATIONS:
            return
        text = "\n".join(lines(message)) or "failed"
        self._print(command(level, text, file=file, line=line, title=one_line(title)))

    def _write_summary(self, result: RunResult, run: RunState) -> None:
        if self._summary is None:
            return
        text = job_summary(result, run, base=self._base)
        # Other tools of the step write to the same file.
        try:
            with self._summary.open("a", encoding="utf-8", errors="replace") as file:
                file.write(f"{text}\n")
        except OSError as error:
            self._print(f"warning: no job summary: {error}")

    def _print(self, *found: str) -> None:
        write(self._stream, "".join(f"{line}\n" for line in found))

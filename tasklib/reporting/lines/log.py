"""Everything in full, for when the short output was too short."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter, deque
from pathlib import Path
from types import TracebackType
from typing import Self

from tasklib.events import (
    Event,
    Notice,
    Output,
    PhaseFinished,
    PhaseStarted,
    Progress,
    RunFinished,
    RunStarted,
    TargetFinished,
    TargetRestarted,
    TargetStarted,
    TestFinished,
    TestsCollected,
    TestStarted,
)
from tasklib.reporting.words.text import lines
from tasklib.reporting.words.wording import run_summary, target_summary
from tasklib.results import Target, TargetResult, TestResult

__all__ = ["LogSink", "log_text"]

OUTPUT = 5_000_000
HELD = 5_000
"""Characters of a target's output that a log begins with, and lines of its end if it is longer."""


def log_text(event: Event) -> list[str]:
    """The event as lines, nothing left out, without the time."""
    match event:
        case RunStarted():
            targets = ", ".join(str(target) for target in event.targets)
            return [f"run of {event.project}, instance {event.instance}: {targets}"]
        case TargetStarted():
            return [f"{event.target}: started"]
        case TargetRestarted():
            return [f"{event.target}: {event.reason}"]
        case PhaseStarted():
            return [f"{event.target}: {event.phase} ..."]
        case PhaseFinished():
            return [f"{event.target}: {event.phase} done"]
        case Progress():
            return [f"{event.target}: {line}" for line in lines(event.text)]
        case TestsCollected():
            return [f"{event.target}: {event.total} tests"]
        case TestStarted():
            worker = f" [{event.worker}]" if event.worker else ""
            return [f"{event.target}:{worker} {line}" for line in lines(event.id)]
        case TestFinished():
            return [f"{event.target}: {line}" for line in _test(event.result)]
        case Output():
            return [f"{event.target} | {line}" for line in lines(event.line) or [""]]
        case Notice():
            prefix = f"{event.target}: " if event.target else ""
            return [f"{event.level}: {prefix}{line}" for line in lines(event.text)]
        case TargetFinished():
            return _target(event.result)
        case RunFinished():
            return [run_summary(event.result), f"exit code {event.result.exit_code}"]


def _test(result: TestResult) -> list[str]:
    parts = (("setup", result.setup), ("call", result.call), ("teardown", result.teardown))
    spent = ", ".join(f"{name} {value:.3f}s" for name, value in parts)
    where = f" at {result.file}:{result.line}" if result.file and result.line else ""
    told = [f"{result.outcome} {line}" for line in lines(result.id)]
    if told:
        told[-1] += f"{where} ({spent})"
    for heading, text in (("", result.message), ("", result.detail), ("printed:", result.output)):
        found = lines(text)
        told += [f"    {line}" for line in ([heading] if heading and found else []) + found]
    return told


def _target(result: TargetResult) -> list[str]:
    told = [f"{result.target}: {target_summary(result)}"]
    told += [f"    {line}" for line in lines(result.reason)]
    for log in result.logs:
        for line in log.lines:
            stamp = _stamp(line.at)
            told += [f"    {log.service} | {stamp} {text}" for text in lines(line.text)]
    if result.rerun:
        told.append(f"    rerun: {result.rerun}")
    return told


def _stamp(at: float) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at % 1 * 1000):03d}"


class LogSink:
    """Writes every event to ``path`` (mode 0600; missing folders are made, mode 0700) as it comes.

    A context manager; raises :class:`OSError` where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        self._written: Counter[Target] = Counter()
        self._left: Counter[Target] = Counter()
        self._held: dict[Target, deque[str]] = {}
        self._file = os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a full disk, of which was told
            for held in self._held.values():  # Of targets that have not ended.
                self._file.write("".join(held))
            self._file.flush()
        with contextlib.suppress(OSError):
            self._file.close()

    def emit(self, event: Event) -> None:
        told = self._bounded(event)
        self._file.write("".join(told))
        self._file.flush()

    def _bounded(self, event: Event) -> list[str]:
        """The event's lines; of long output the first ones, and the last ones once its target has ended."""
        stamp = _stamp(event.at)
        told = [f"{stamp} {line}\n" for line in log_text(event)]
        if isinstance(event, Output):
            self._written[event.target] += sum(map(len, told))
            if self._written[event.target] <= OUTPUT:
                return told
            held = self._held.setdefault(event.target, deque(maxlen=HELD))
            self._left[event.target] += max(0, len(held) + len(told) - HELD)
            held.extend(told)
            return []
        if isinstance(event, TargetFinished):
            target = event.result.target
            left = self._left.pop(target, 0)
            head = [f"{stamp} {target} | [... {left} lines left out ...]\n"] if left else []
            return [*head, *self._held.pop(target, ()), *told]
        return told

"""The last run of a checkout, kept so that it can be shown again without running anything.

What is kept is what a reader needs: every target's result with its failures and its containers' lines,
warnings, and the moments of failing tests. It is written as it comes, so a run that was killed is there, too.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Iterable
from pathlib import Path

from msgspec.structs import replace

from tasklib.events import (
    Event,
    Notice,
    RunFinished,
    RunStarted,
    TargetFinished,
    TargetRestarted,
    TestFinished,
)
from tasklib.files.whole import PRIVATE, open_fresh
from tasklib.reporting.folds.folding import Folding
from tasklib.reporting.lines.jsonlines import JsonSink
from tasklib.reporting.lines.plain import PlainSink
from tasklib.reporting.words.failures import failed
from tasklib.reporting.words.text import one_line, plural
from tasklib.results import Outcome, RunResult, TargetResult

__all__ = ["LastSink", "narrowed", "shown"]

_BAD = (Outcome.FAILED, Outcome.ERROR, Outcome.INTERRUPTED)


class LastSink:
    """Writes to ``path``, which takes the place of the run before; its user alone can read it."""

    def __init__(self, path: Path) -> None:
        """Raises :class:`OSError` where it cannot be written."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stream = open_fresh(path, mode=PRIVATE)
        self._sink = JsonSink(self._stream)

    def __enter__(self) -> LastSink:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a full disk, of which was told
            self._stream.close()

    def emit(self, event: Event) -> None:
        match event:
            case RunStarted() | TargetRestarted() | TargetFinished() | RunFinished():
                pass
            case TestFinished() if failed(event.result):
                pass
            case Notice() if event.level != "info":
                pass
            case _:
                return
        self._sink.emit(event)


def narrowed(
    events: Iterable[Event], *, names: Collection[str] = (), failures: bool = False
) -> tuple[Event, ...]:
    """The events of the targets called ``names`` (all of them without names), with ``failures`` of those that
    did not pass; a run that was cut off gets an end."""
    found = tuple(events)

    def wanted(result: TargetResult) -> bool:
        return (not names or result.target.service in names) and (not failures or result.outcome in _BAD)

    results = [event.result for event in found if isinstance(event, TargetFinished)]
    kept = [result.target for result in results if wanted(result)]
    narrow: list[Event] = []
    for event in found:
        match event:
            case RunStarted():
                rows = [row for row in zip(event.targets, event.folders, strict=False) if row[0] in kept]
                targets, folders = zip(*rows, strict=True) if rows else ((), ())
                narrow.append(replace(event, targets=targets, folders=folders))
            case TargetFinished() | TestFinished() | TargetRestarted():
                target = event.result.target if isinstance(event, TargetFinished) else event.target
                narrow += [event] if target in kept else []
            case RunFinished():
                whole = tuple(result for result in event.result.targets if result.target in kept)
                narrow.append(replace(event, result=replace(event.result, targets=whole)))
            case _:
                narrow.append(event)
    if narrow and not isinstance(found[-1], RunFinished):
        ended = RunResult(tuple(r for r in results if r.target in kept), interrupted=True)
        narrow.append(Notice("the run was cut off: this is as far as it came", "warning", at=found[-1].at))
        narrow.append(RunFinished(ended, at=found[-1].at))
    return tuple(narrow)


def shown(events: Iterable[Event], *, base: str = "", logs: str | None = None, most: int) -> tuple[str, ...]:
    """What plain output said of the events, at most ``most`` lines.

    With ``logs``: the lines that the containers of that Compose service had written where a target failed.
    """
    if logs is None:
        stream = io.StringIO()
        sink = Folding(PlainSink(stream, base=base))
        for event in events:
            sink.emit(event)
        lines = stream.getvalue().splitlines()
    else:
        results = [event.result for event in events if isinstance(event, TargetFinished)]
        lines = [
            f"{result.target}: {log.service} | {one_line(line.text, 1000)}"
            for result in results
            for log in result.logs
            if log.service == logs
            for line in log.lines
        ] or [_no_logs(results, logs)]
    if len(lines) <= most:
        return tuple(lines)
    # The summary is the last line; what comes before it is cut.
    cut = len(lines) - most + 1
    kept = lines[: max(0, most - 2)] if logs is None else []
    rest = lines[-1:] if logs is None else lines[-(most - 1) :]
    return (*kept, f"… {plural(cut, 'line')} left out: --lines {len(lines)} shows all", *rest)


def _no_logs(results: Iterable[TargetResult], service: str) -> str:
    """Why nothing of a service is shown; who said something, where anybody did."""
    others = sorted({log.service for result in results for log in result.logs if log.lines})
    said = f": {', '.join(others)} did" if others else ", nor did any other container"
    return f"{service} wrote nothing while tests failed in that run{said}"

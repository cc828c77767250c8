"""Report files: what each is written with, and a sink that writes them when the run has ended."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tasklib.errors import UsageError
from tasklib.events import Event, Output, Progress, RunFinished
from tasklib.files.whole import write_whole
from tasklib.reporting.files.record import RunRecord, record
from tasklib.reporting.folds.run import RunState
from tasklib.results import Stage

__all__ = ["SUFFIXES", "ReportSink", "check_reports"]

SUFFIXES = {".xml": "JUnit XML", ".json": "JSON", ".html": "a page with the timeline", ".jsonl": "events"}


def check_reports(paths: Sequence[Path]) -> None:
    """Refuse, before anything runs, what could not be written after it: :class:`UsageError`."""
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            kinds = ", ".join(f"{suffix} ({what})" for suffix, what in SUFFIXES.items())
            raise UsageError(
                f"--report {path}: unknown kind of report", remedy=f"Its suffix decides the kind: {kinds}."
            )
        if path.is_dir():
            raise UsageError(
                f"--report {path}: is a folder", remedy="Name a file in it: --report FOLDER/run.xml."
            )
        existing = path.absolute().parent
        while not existing.exists():
            existing = existing.parent
        if not existing.is_dir() or not os.access(existing, os.W_OK):
            raise UsageError(
                f"--report {path}: {existing} cannot be written to",
                remedy="Name a file in a folder that you may write to.",
            )
        if path.suffix.lower() == ".html" and not all(map(importlib.util.find_spec, ("jinja2", "pygal"))):
            raise UsageError(
                f"--report {path}: pages need Jinja2 and pygal",
                remedy="Install them with the extra: pip install 'tasklib-stages[reports]'",
            )


class ReportSink:
    """Writes every report once the run has ended, or when the context is left.

    ``complain`` is told what could not be written; nothing is raised for that.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        limits: Mapping[Stage, float],
        base: str,
        home: str = "",
        complain: Callable[[str], None],
    ) -> None:
        self._paths = tuple(paths)
        self._limits = limits
        self._base = base
        self._home = home
        self._complain = complain
        self._run: RunState | None = None
        self._written = False
        self._keeps = any(path.suffix.lower() == ".jsonl" for path in self._paths)
        self._events: list[Event] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A run that broke off still has results worth reading.
        if self._run is not None and not self._written:
            self._write(self._run)

    def tell(self, event: Event, run: RunState) -> None:
        self._run = run
        if self._keeps and not isinstance(event, (Output, Progress)):
            self._events.append(event)
        if isinstance(event, RunFinished):
            self._write(run)

    def _write(self, run: RunState) -> None:
        self._written = True
        whole = record(run)
        for path in self._paths:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, self._text(path, whole).encode(errors="replace"))
            except Exception as error:
                self._complain(f"report {path} not written: {error}")

    def _text(self, path: Path, whole: RunRecord) -> str:
        match path.suffix.lower():
            case ".xml":
                from tasklib.reporting.files.junit import junit_xml

                return junit_xml(whole)
            case ".json":
                from tasklib.reporting.files.runjson import run_json

                return run_json(whole)
            case ".jsonl":
                from tasklib.reporting.lines.jsonlines import to_object

                return "".join(f"{json.dumps(to_object(event))}\n" for event in self._events)
            case _:
                from tasklib.reporting.files.html import run_html

                return run_html(whole, limits=self._limits, base=self._base, home=self._home)

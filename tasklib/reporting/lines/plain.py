"""Plain lines for pipes, CI and agents: short where all is well, complete where something failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TextIO

from tasklib.events import Event, Notice, Output, RunFinished, RunStarted, TargetFinished
from tasklib.reporting.folds.run import RunState, stage_seconds
from tasklib.reporting.folds.slowest import Slowest
from tasklib.reporting.words.failures import failure_lines
from tasklib.reporting.words.text import lines, one_line, plural, write
from tasklib.reporting.words.wording import run_summary, stage_summary, target_summary
from tasklib.results import Outcome, RunResult, Stage, Target, TargetResult
from tasklib.shown.cleaning import clean_line

__all__ = ["MAX_LINES", "PlainSink", "stages_by_line"]

MAX_LINES = 12
"""What a passing run may print, whatever its size."""

TARGETS_BY_LINE = 6
"""A stage with more targets gets one line for all."""


def stages_by_line(targets: Sequence[Target]) -> frozenset[Stage]:
    """The stages that get a line a stage instead of a line a target.

    Those of more than six targets, then the largest ones (the earlier of equals) until the lines of all
    stages leave room for a notice and the summary.
    """
    sizes = {stage: sum(target.stage is stage for target in targets) for stage in Stage}
    grouped = {stage for stage, size in sizes.items() if size > TARGETS_BY_LINE}

    def planned() -> int:
        return sum(1 if stage in grouped else size for stage, size in sizes.items())

    while planned() > MAX_LINES - 2:
        grouped.add(max((stage for stage in Stage if stage not in grouped), key=lambda stage: sizes[stage]))
    return frozenset(grouped)


class PlainSink:
    """Prints a line when a target (of a large stage: the stage) ends, failures below it, then a summary.

    The lines of one target come together and name it, so that parallel targets cannot be mixed up;
    ``verbose`` adds what the children write, as it comes. ``base`` is the folder that paths are shown
    relative to. ``slowest`` adds its lines before the summary. ``escape`` has the last word on each line.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        verbose: bool = False,
        base: str = "",
        slowest: Slowest | None = None,
        escape: Callable[[str], str] = str,
    ) -> None:
        self._stream = stream
        self._slowest = slowest
        self._escape = escape
        self._verbose = verbose
        self._base = base
        self._grouped: frozenset[Stage] = frozenset()
        self._skipped_told: set[Target] = set()
        self._notices: set[str] = set()
        self._infos = 0
        self._infos_allowed = 2

    def tell(self, event: Event, run: RunState) -> None:
        match event:
            case RunStarted():
                self._start(event)
            case Output() if self._verbose:
                self._print(*(f"{event.target} | {line}" for line in lines(event.line)))
            case Notice():
                self._notice(event)
            case TargetFinished():
                self._finish(event.result, run)
            case RunFinished():
                self._summary(event.result, run)

    def _start(self, event: RunStarted) -> None:
        self._grouped = stages_by_line(event.targets)
        planned = sum(target.stage not in self._grouped for target in event.targets)
        planned += len(self._grouped)
        self._infos_allowed = MAX_LINES - 1 - planned

    def _notice(self, event: Notice) -> None:
        text = one_line(event.text, 1000)
        line = f"{event.target}: {text}" if event.target else text
        if not text or line in self._notices:
            return
        self._notices.add(line)
        if event.level == "info":
            self._infos += 1
            if self._infos <= self._infos_allowed or self._verbose:
                self._print(line)
        else:
            self._print(f"{event.level}: {line}")

    def _finish(self, result: TargetResult, run: RunState) -> None:
        target = result.target
        trouble = result.outcome in (Outcome.FAILED, Outcome.ERROR, Outcome.INTERRUPTED)
        if trouble or (result.outcome is Outcome.PASSED and target.stage not in self._grouped):
            self._print(f"{target}: {target_summary(result)}")
        if result.outcome in (Outcome.FAILED, Outcome.ERROR) or result.failures:
            found = failure_lines(
                result,
                folder=run.folder(target),
                base=self._base,
                moments=run.moments(target),
            )
            self._print(*found)
        self._end_stage(target.stage, run)

    def _end_stage(self, stage: Stage, run: RunState) -> None:
        states = run.stage(stage)
        whole = [state.result for state in states if state.result is not None]
        if stage not in self._grouped or len(whole) < len(states):
            return
        if any(result.outcome is not Outcome.SKIPPED for result in whole):
            self._skipped_told.update(result.target for result in whole)
            self._print(f"{stage}: {stage_summary(whole, stage_seconds(run, stage) or 0.0)}")

    def _summary(self, result: RunResult, run: RunState) -> None:
        self._skips(result)
        if self._slowest:
            self._print(*self._slowest.lines(run))
        log = f". Full log: {result.log_file}" if result.log_file else ""
        self._print(f"{run_summary(result)}{log}")

    def _skips(self, result: RunResult) -> None:
        """One line a reason for all targets that were skipped and not told of yet."""
        by_reason: defaultdict[str, list[Target]] = defaultdict(list)
        for found in result.targets:
            if found.outcome is Outcome.SKIPPED and found.target not in self._skipped_told:
                by_reason[one_line(found.reason)].append(found.target)
        for reason, targets in by_reason.items():
            names = [str(target) for target in targets[:TARGETS_BY_LINE]]
            if len(targets) > TARGETS_BY_LINE:
                names = [plural(len(targets), "target")]
            self._print(f"skipped: {', '.join(names)}" + (f": {reason}" if reason else ""))

    def _print(self, *found: str) -> None:
        if found:
            write(self._stream, "".join(f"{self._escape(clean_line(line))}\n" for line in found))

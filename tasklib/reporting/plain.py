"""Plain lines for pipes, CI and agents: short where all is well, complete where something failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TextIO

from tasklib.events import (
    Event,
    Notice,
    Outcome,
    Output,
    RunFinished,
    RunResult,
    RunStarted,
    Stage,
    Target,
    TargetFinished,
    TargetResult,
    TestFinished,
)
from tasklib.reporting.failures import Moment, describe, failed, log_lines, name, place, rerun
from tasklib.reporting.text import lines, one_line, plural, write
from tasklib.reporting.wording import run_summary, stage_summary, target_summary

__all__ = ["FAILURES_IN_FULL", "MAX_LINES", "PlainSink", "failure_lines", "stages_by_line"]

MAX_LINES = 12
"""What a passing run may print, whatever its size."""

TARGETS_BY_LINE = 6
"""A stage with more targets gets one line for all."""

FAILURES_IN_FULL = 10
"""Per target; what else failed gets one line each, up to :data:`FAILURES_IN_SHORT`."""

FAILURES_IN_SHORT = 40


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


def failure_lines(
    result: TargetResult, *, folder: str = "", base: str = "", moments: Sequence[Moment] = ()
) -> list[str]:
    """What a failed target adds below its line: each failure, its command, the containers' logs."""
    found: list[str] = []
    for test in result.failures[:FAILURES_IN_FULL]:
        found += describe(test, folder=folder, base=base)
        if command := rerun(result, test):
            found.append(f"  rerun: {one_line(command, 1000)}")
    rest = result.failures[FAILURES_IN_FULL:]
    for test in rest[:FAILURES_IN_SHORT]:
        found.append(one_line(f"FAILED {place(test, folder, base)} {name(test)}: {test.message}"))
    if len(rest) > FAILURES_IN_SHORT:
        found.append(f"... and {len(rest) - FAILURES_IN_SHORT} more failures ...")
    if logs := log_lines(result.logs, moments):
        found += ["  container logs:", *(f"  {line}" for line in logs)]
    if not result.failures and result.rerun:
        found.append(f"  rerun: {one_line(result.rerun, 1000)}")
    return found


class PlainSink:
    """Prints a line when a target (of a large stage: the stage) ends, failures below it, then a summary.

    The lines of one target come together and name it, so that parallel targets cannot be mixed up;
    ``verbose`` adds what the children write, as it comes. ``base`` is the folder that paths are shown
    relative to.
    """

    def __init__(self, stream: TextIO, *, verbose: bool = False, base: str = "") -> None:
        self._stream = stream
        self._verbose = verbose
        self._base = base
        self._targets: tuple[Target, ...] = ()
        self._folders: dict[Target, str] = {}
        self._grouped: frozenset[Stage] = frozenset()
        self._ended: dict[Target, TargetResult] = {}
        self._skipped_told: set[Target] = set()
        self._moments: defaultdict[Target, list[Moment]] = defaultdict(list)
        self._notices: set[str] = set()
        self._infos = 0
        self._infos_allowed = 2
        self._stage_started: dict[Stage, float] = {}

    def emit(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._start(event)
            case TestFinished() if failed(event.result):
                moment = Moment(event.at - event.result.seconds, event.at)
                self._moments[event.target].append(moment)
            case Output() if self._verbose:
                self._print(*(f"{event.target} | {line}" for line in lines(event.line)))
            case Notice():
                self._notice(event)
            case TargetFinished():
                self._finish(event)
            case RunFinished():
                self._summary(event.result)

    def _start(self, event: RunStarted) -> None:
        self._targets = event.targets
        self._folders = dict(zip(event.targets, event.folders, strict=False))
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

    def _finish(self, event: TargetFinished) -> None:
        result = event.result
        target = result.target
        self._ended[target] = result
        started = event.at - result.seconds
        self._stage_started[target.stage] = min(started, self._stage_started.get(target.stage, started))
        trouble = result.outcome in (Outcome.FAILED, Outcome.ERROR, Outcome.INTERRUPTED)
        if trouble or (result.outcome is Outcome.PASSED and target.stage not in self._grouped):
            self._print(f"{target}: {target_summary(result)}")
        if result.outcome in (Outcome.FAILED, Outcome.ERROR):
            found = failure_lines(
                result,
                folder=self._folders.get(target, ""),
                base=self._base,
                moments=self._moments.pop(target, ()),
            )
            self._print(*found)
        self._end_stage(target.stage, event.at)

    def _end_stage(self, stage: Stage, at: float) -> None:
        results = [self._ended.get(target) for target in self._targets if target.stage is stage]
        whole = [result for result in results if result is not None]
        if stage not in self._grouped or len(whole) < len(results):
            return
        if any(result.outcome is not Outcome.SKIPPED for result in whole):
            self._skipped_told.update(result.target for result in whole)
            self._print(f"{stage}: {stage_summary(whole, at - self._stage_started[stage])}")

    def _summary(self, result: RunResult) -> None:
        self._skips(result)
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
            write(self._stream, "".join(f"{line}\n" for line in found))

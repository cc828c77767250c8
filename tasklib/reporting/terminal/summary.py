"""What a person reads when the run on their terminal has ended. Pure, in Rich's values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from tasklib.reporting.folds.run import RunState, TargetState, stage_seconds
from tasklib.reporting.words.failures import name, place, rerun
from tasklib.reporting.words.glyphs import STYLES, TITLES, Glyphs
from tasklib.reporting.words.text import one_line, plural, seconds, tilde
from tasklib.reporting.words.wording import counts, run_summary, total
from tasklib.results import Outcome, Phase, Stage, TargetResult

__all__ = ["failure_list", "result_table", "verdict"]

MAX_ROWS = 40
"""More targets than this: those that passed are one row a stage."""

MAX_FAILURES = 10

_WORST = (Outcome.ERROR, Outcome.FAILED, Outcome.INTERRUPTED, Outcome.PASSED)


def result_table(run: RunState, width: int, marks: Glyphs) -> Table:
    """Every target with its tests and where its time went; the phases only where there is room for them."""
    states = [state for state in run.targets.values() if state.result is not None]
    used = [phase for phase in Phase if any(state.spent(phase) >= 0.05 for state in states)]
    wide = width >= 46 + 9 * len(used) and any(phase is not Phase.TEST for phase in used)
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=wide, header_style="dim")
    table.add_column("", no_wrap=True, overflow="ellipsis", min_width=4)
    table.add_column("tests", overflow="fold")
    table.add_column("total", justify="right", no_wrap=True)
    phases = used if wide else []
    for phase in phases:
        table.add_column(phase, justify="right", no_wrap=True, style="dim")
    for stage in Stage:
        rows = [state for state in states if state.target.stage is stage]
        if rows:
            length = stage_seconds(run, stage)
            _stage_rows(table, stage, rows, length, phases, marks, fold=len(states) > MAX_ROWS)
    return table


def _stage_rows(
    table: Table,
    stage: Stage,
    states: Sequence[TargetState],
    length: float | None,
    phases: Sequence[Phase],
    marks: Glyphs,
    *,
    fold: bool,
) -> None:
    results = [state.result for state in states if state.result is not None]
    ran = any(result.outcome is not Outcome.SKIPPED for result in results)
    took = seconds(length) if ran and length is not None else ""
    table.add_row(Text(TITLES[stage], style="bold"), "", Text(took, style="bold"))
    spent_by = {state.target: state.spent for state in states}
    passed = [result for result in results if result.outcome is Outcome.PASSED]
    if fold and len(passed) > 3:
        merged = counts(total(result.counts for result in passed))
        mark = Text.assemble(
            "  ", (f"{marks.passed} ", STYLES[Outcome.PASSED]), plural(len(passed), "target")
        )
        table.add_row(mark, merged)
        results = [result for result in results if result.outcome is not Outcome.PASSED]
    skipped = [result for result in results if result.outcome is Outcome.SKIPPED]
    if len(skipped) > 1 and len({result.reason for result in skipped}) == 1:
        results = [result for result in results if result.outcome is not Outcome.SKIPPED]
        mark = Text.assemble("  ", (f"{marks.skipped} {plural(len(skipped), 'target')}", "dim"))
        table.add_row(mark, Text(_skip_reason(skipped[0]), style="dim"))
    for result in results:
        style = STYLES[result.outcome]
        mark = Text.assemble(
            "  ", (f"{marks.outcome(result.outcome)} ", style), one_line(result.target.service)
        )
        if result.outcome is Outcome.SKIPPED:
            table.add_row(mark, Text(_skip_reason(result), style="dim"))
            continue
        spent = [spent_by[result.target](phase) for phase in phases]
        cells = [seconds(length) if length >= 0.05 else "" for length in spent]
        table.add_row(mark, _told(result), seconds(result.seconds), *cells)


def _told(result: TargetResult) -> Text:
    told = counts(result.counts, outcome=result.outcome)
    if result.outcome is Outcome.PASSED:
        return Text("; ".join(filter(None, (told or "passed", one_line(result.again)))))
    if result.outcome is Outcome.ERROR:
        told = one_line(result.reason) or told
    return Text(told or str(result.outcome), style=STYLES[result.outcome])


def _skip_reason(result: TargetResult) -> str:
    return f"skipped: {one_line(result.reason)}" if result.reason else "skipped"


def failure_list(run: RunState, base: str, marks: Glyphs) -> Iterable[Text]:
    """Each failed test, where it is, and the command that repeats it: they scrolled by above."""
    shown = 0
    every = 0
    for state in run.targets.values():
        result = state.result
        if result is None or result.outcome not in (Outcome.FAILED, Outcome.ERROR, Outcome.INTERRUPTED):
            continue
        if result.outcome is Outcome.INTERRUPTED and not result.failures:
            continue
        every += max(1, len(result.failures))
        for test in result.failures[: max(0, MAX_FAILURES - shown)]:
            shown += 1
            head = name(test) if test.file else place(test)
            yield Text.assemble((f"{marks.failed} {state.target}  ", "bold red"), one_line(head))
            if test.file:
                yield Text(f"    {place(test, state.folder, base)}")
            if command := rerun(result, test):
                yield Text(f"    {one_line(command, 1000)}", style="cyan")
        if not result.failures and shown < MAX_FAILURES:
            shown += 1
            yield Text.assemble((f"{marks.error} {state.target}  ", "bold red"), one_line(result.reason))
            if result.rerun:
                yield Text(f"    {one_line(result.rerun, 1000)}", style="cyan")
    if every > shown:
        yield Text(f"  {marks.ellipsis} and {every - shown} more", style="dim")


def verdict(run: RunState, marks: Glyphs, *, home: str = "") -> Text:
    """The last lines: how it went, and where everything is in full."""
    result = run.result
    assert result is not None
    head, _, rest = run_summary(result).partition(":")
    text = Text.assemble((head, STYLES[result.outcome].replace("bold ", "") + " bold"), f":{rest}")
    spent = [
        f"{phase} {seconds(length)}"
        for phase in Phase
        if (length := sum(state.spent(phase) for state in run.targets.values())) >= 0.05
    ]
    if len(spent) > 1:
        text.append(f"\nwork: {f' {marks.dot} '.join(spent)}", style="dim")
    if result.log_file:
        text.append(f"\nfull log: {tilde(result.log_file, home)}", style="dim")
    return text

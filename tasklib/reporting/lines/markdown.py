"""A run as Markdown: the job summary of a CI system. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasklib.reporting.folds.run import RunState
from tasklib.reporting.words.failures import failure_lines
from tasklib.reporting.words.text import one_line, seconds
from tasklib.reporting.words.wording import counts, run_summary
from tasklib.results import Outcome, Phase, RunResult, TargetResult
from tasklib.shown.cleaning import clean

__all__ = ["cell", "fenced", "job_summary"]

_SIGNS = {
    Outcome.PASSED: "✅",
    Outcome.FAILED: "❌",
    Outcome.ERROR: "💥",
    Outcome.SKIPPED: "⏭️",
    Outcome.INTERRUPTED: "🛑",
}


def cell(text: str) -> str:
    """``text`` as one table cell that shows it literally."""
    escaped = one_line(text, 500).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_{}\[\]()#+!|~>-])", r"\\\1", escaped)


def fenced(text: str) -> str:
    """``text`` as a code block whose fence it cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{clean(text)}\n{fence}"


def job_summary(result: RunResult, run: RunState, *, base: str = "", limit: int = 900_000) -> str:
    """A heading, a table of the targets and the failures, at most ``limit`` bytes of UTF-8.

    GitHub refuses a step's summary above 1 MiB as a whole.
    """
    where = " ".join(part for part in (run.project, run.instance) if part)
    parts = [f"## {cell(where)}: {cell(run_summary(result))}", "", *_table(result), ""]
    size = sum(len(part.encode()) + 1 for part in parts)
    for part in _failures(result, run, base):
        size += len(part.encode()) + 1
        if size > limit:
            parts.append("More failures are in the log of the step.")
            break
        parts.append(part)
    return "\n".join(parts) + "\n"


def _table(result: RunResult) -> Iterator[str]:
    used = [phase for phase in Phase if any(found.phases.get(phase) for found in result.targets)]
    yield "| | target | tests | " + " | ".join([*used, "total"]) + " |"
    yield "| --- | --- | --- |" + " ---: |" * (len(used) + 1)
    for found in result.targets:
        told = counts(found.counts, outcome=found.outcome)
        if found.outcome in (Outcome.ERROR, Outcome.INTERRUPTED) or not told:
            told = one_line(found.reason) or told or str(found.outcome)
        spent = [seconds(found.phases[phase]) if found.phases.get(phase) else "" for phase in used]
        took = "" if found.outcome is Outcome.SKIPPED else seconds(found.seconds)
        cells = [_SIGNS[found.outcome], cell(str(found.target)), cell(told), *spent, took]
        yield f"| {' | '.join(cells)} |"


def _failures(result: RunResult, run: RunState, base: str) -> Iterator[str]:
    for found in result.targets:
        if found.outcome not in (Outcome.FAILED, Outcome.ERROR, Outcome.INTERRUPTED):
            continue
        lines = _lines(found, run, base)
        if lines:
            title = cell(f"{found.target}: {counts(found.counts, outcome=found.outcome) or found.outcome}")
            block = fenced("\n".join(lines))
            yield f"<details open><summary>{title}</summary>\n\n{block}\n\n</details>\n"


def _lines(found: TargetResult, run: RunState, base: str) -> list[str]:
    lines = failure_lines(
        found, folder=run.folder(found.target), base=base, moments=run.moments(found.target)
    )
    return [*clean(found.reason).splitlines(), *lines]

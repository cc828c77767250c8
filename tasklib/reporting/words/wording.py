"""The words every report uses for results: counts, one line a target, a stage, a run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tasklib.reporting.words.text import both_ends, plural, seconds
from tasklib.results import RAN, Counts, Outcome, Phase, RunResult, TargetResult
from tasklib.shown.cutting import several

__all__ = ["counts", "phases", "run_summary", "stage_summary", "target_summary", "total"]


def counts(value: Counts, *, outcome: Outcome = Outcome.PASSED) -> str:
    """``1 failed, 19 passed``: what needs attention first; empty if nothing ran.

    An interrupted or broken target also says how far it came.
    """
    parts = [
        f"{number:,} {word}"
        for number, word in (
            (value.failed, "failed"),
            (value.errors, "error" if value.errors == 1 else "errors"),
            (value.passed, "passed"),
            (value.skipped, "skipped"),
            (value.xfailed, "xfailed"),
            (value.xpassed, "xpassed"),
            (value.rerun, "rerun"),
            (value.warnings, "warning" if value.warnings == 1 else "warnings"),
        )
        if number
    ]
    if value.done < value.total and outcome in (Outcome.INTERRUPTED, Outcome.ERROR, Outcome.FAILED):
        parts.append(f"{value.total - value.done:,} not run")
    return ", ".join(parts)


def total(values: Iterable[Counts]) -> Counts:
    """The sum of several targets' counts."""
    rows = list(values)
    return Counts(
        total=sum(row.total for row in rows),
        passed=sum(row.passed for row in rows),
        failed=sum(row.failed for row in rows),
        errors=sum(row.errors for row in rows),
        skipped=sum(row.skipped for row in rows),
        xfailed=sum(row.xfailed for row in rows),
        xpassed=sum(row.xpassed for row in rows),
        rerun=sum(row.rerun for row in rows),
        warnings=sum(row.warnings for row in rows),
    )


def phases(value: Mapping[Phase, float]) -> str:
    """``build 0.4s, start 1.2s, test 2.0s, clean 0.3s``; empty where only the tests took time."""
    spent = [(phase, value[phase]) for phase in Phase if value.get(phase, 0) >= 0.05]
    if not spent or [phase for phase, _ in spent] == [Phase.TEST]:
        return ""
    return ", ".join(f"{phase} {seconds(length)}" for phase, length in spent)


def target_summary(result: TargetResult) -> str:
    """What became of one target, without its name: ``74 passed (3.2s)``."""
    return f"{_summary(result)}; {both_ends(result.again, 400)}" if result.again else _summary(result)


def _summary(result: TargetResult) -> str:
    told = counts(result.counts, outcome=result.outcome)
    where = phases(result.phases)
    took = f"({seconds(result.seconds)}: {where})" if where else f"({seconds(result.seconds)})"
    reason = both_ends(result.reason, 400)
    match result.outcome:
        case Outcome.PASSED:
            return f"{told or 'passed'} {took}"
        case Outcome.SKIPPED:
            return f"skipped: {reason}" if reason else "skipped"
        case Outcome.FAILED:
            text = f"FAILED, {told or 'no details'} {took}"
            return f"{text}: {reason}" if reason else text
        case Outcome.ERROR:
            text = f"ERROR, {told} {took}" if told else f"ERROR {took}"
            return f"{text}: {reason}" if reason else text
        case Outcome.INTERRUPTED:
            text = f"interrupted, {told} {took}" if told else f"interrupted {took}"
            return f"{text}: {reason}" if RAN in reason else text


def stage_summary(results: Sequence[TargetResult], took: float) -> str:
    """What became of a whole stage, without its name: ``10 targets: 1,240 passed (8.1s)``."""
    by_outcome = {
        outcome: sum(result.outcome is outcome for result in results)
        for outcome in (Outcome.FAILED, Outcome.ERROR, Outcome.INTERRUPTED, Outcome.SKIPPED)
    }
    words = {Outcome.FAILED: "FAILED", Outcome.ERROR: "ERROR"}
    notes = [f"{number} {words.get(outcome, outcome)}" for outcome, number in by_outcome.items() if number]
    head = plural(len(results), "target") + (f" ({', '.join(notes)})" if notes else "")
    told = counts(total(result.counts for result in results))
    return f"{head}: {told or 'no tests'} ({seconds(took)})"


def run_summary(result: RunResult) -> str:
    """The whole run in one line, without where its log is."""
    ran = [found for found in result.targets if found.outcome is not Outcome.SKIPPED]
    skipped = len(result.targets) - len(ran)
    word = {
        Outcome.PASSED: "PASSED",
        Outcome.FAILED: "FAILED",
        Outcome.ERROR: "ERROR",
        Outcome.INTERRUPTED: "INTERRUPTED",
        Outcome.SKIPPED: "SKIPPED",
    }[result.outcome]
    told = counts(total(found.counts for found in ran)) or "no tests"
    rest = f", {plural(skipped, 'target')} skipped" if skipped else ""
    again = sum(bool(found.again) for found in ran)
    rest += f", {again} run again on another engine" if again else ""
    bad = [str(found.target) for found in ran if found.outcome in (Outcome.FAILED, Outcome.ERROR)]
    if bad:
        word += f" ({several(bad)})"
    return f"{word}: {told} in {plural(len(ran), 'target')}{rest} ({seconds(result.seconds)})"

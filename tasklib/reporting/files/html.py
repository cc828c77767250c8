"""``--report run.html``: one page that needs nothing else, from a Jinja2 template and a pygal drawing.

Both come with the extra ``reports`` and are imported only when such a report is written.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from tasklib.reporting.files.chart import legend, timeline_svg
from tasklib.reporting.files.record import RunRecord, TargetRecord, TimedTest
from tasklib.reporting.files.timeline import critical_path, span_seconds, waits
from tasklib.reporting.folds.spans import Activity, Span
from tasklib.reporting.words.explanation import explain
from tasklib.reporting.words.failures import failed, place, rerun, short_id, titled
from tasklib.reporting.words.text import both_ends, lines, one_line, plural, seconds, tilde
from tasklib.reporting.words.wording import counts, total
from tasklib.results import ContainerLog, Outcome, Stage, Target, TestOutcome, TestResult
from tasklib.shown.cleaning import clean
from tasklib.slow_tests import limit_of, too_slow

__all__ = ["run_html"]

SLOWEST = 25
MAX_OUTPUT = 400
"""Lines of a failed test's output, or of a container's log, on the page."""


class _Failure(Struct, frozen=True):
    """A failed test as the page shows it."""

    target: str
    place: str
    name: str
    explanation: str
    detail: str
    output: str
    command: str
    logs: tuple[tuple[str, str], ...]


class _Slow(Struct, frozen=True):
    target: str
    name: str
    seconds: float
    setup: float
    call: float
    teardown: float
    limit: float | None


def run_html(record: RunRecord, *, limits: Mapping[Stage, float], base: str = "", home: str = "") -> str:
    """The whole page.

    ``limits`` are the seconds a test of each stage may take; files are shown relative to ``base``, the log
    to ``home``.
    """
    spent = span_seconds(record)
    return (
        _environment()
        .get_template("run.html")
        .render(
            record=record,
            log_file=tilde(record.result.log_file, home),
            outcome=str(record.result.outcome),
            began=time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(record.started)),
            counts=counts(total(target.result.counts for target in record.targets)) or "no tests",
            targets_told=plural(len(record.targets), "target"),
            # Both drawings come from pygal, which escapes what it is given.
            wide=Markup(timeline_svg(record, name="wide", width=1000, label_limit=28)),
            narrow=Markup(timeline_svg(record, name="narrow", width=400, label_limit=16)),
            legend=legend(record),
            critical=_grouped(critical_path(record)),
            waits=[wait for wait in waits(record) if wait.blocker],
            spent=[
                (activity, spent[activity])
                for activity in Activity
                if activity is not Activity.WAIT and spent.get(activity, 0) >= 0.05
            ],
            activities=[activity for activity in Activity if activity in spent],
            rows=[_row(target) for target in record.targets],
            failures=list(_failures(record, base)),
            broken=[
                target
                for target in record.targets
                if target.result.outcome in (Outcome.ERROR, Outcome.FAILED) and not target.result.failures
            ],
            logs=_logs,
            slowest=_slowest(record, limits, base),
            tests=_tests,
            stages=[stage for stage in Stage if record.stage(stage)],
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tasklib.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clean=clean, one_line=one_line, seconds=seconds)
    return environment


def _grouped(path: Sequence[Span]) -> list[tuple[str, list[Span]]]:
    """What one target did in a row belongs together."""
    return [(str(target), list(spans)) for target, spans in groupby(path, key=lambda span: span.target)]


def _row(record: TargetRecord) -> dict[str, object]:
    result = record.result
    spent = dict.fromkeys(Activity, 0.0)
    for span in record.spans:
        spent[span.activity] += span.seconds
    told = counts(result.counts, outcome=result.outcome)
    return {
        "stage": result.target.stage,
        "name": one_line(result.target.service),
        "outcome": str(result.outcome),
        "told": told or ("" if result.reason else str(result.outcome)),
        "reason": both_ends(result.reason, 400),
        "spent": spent,
        "seconds": result.seconds,
    }


def _failures(record: RunRecord, base: str) -> Iterator[_Failure]:
    for target in record.targets:
        for test in target.result.failures:
            yield _Failure(
                str(target.target),
                place(test, target.folder, base),
                short_id(test.id),
                "\n".join(explain(test)),
                "\n".join(lines(test.detail)),
                _tail("\n".join(lines(test.output))),
                rerun(target.result, test),
                _logs(target) if test is target.result.failures[-1] else (),
            )


def _logs(record: TargetRecord) -> tuple[tuple[str, str], ...]:
    return tuple((log.service, _tail(_log_text(log))) for log in record.result.logs if log.lines)


def _log_text(log: ContainerLog) -> str:
    def stamped(at: float, text: str) -> str:
        return f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at % 1 * 1000):03d} {text}"

    return "\n".join(stamped(line.at, text) for line in log.lines for text in lines(line.text))


def _tail(text: str) -> str:
    found = text.split("\n")
    if len(found) <= MAX_OUTPUT:
        return text
    return "\n".join([f"... {len(found) - MAX_OUTPUT} lines before ...", *found[-MAX_OUTPUT:]])


def _slowest(record: RunRecord, limits: Mapping[Stage, float], base: str) -> list[_Slow]:
    every: list[tuple[Target, str, TestResult]] = [
        (target.target, target.folder, test.result)
        for target in record.targets
        for test in target.tests
        if test.result.outcome is not TestOutcome.SKIPPED
    ]
    found: list[_Slow] = []
    for target, folder, test in heapq.nlargest(SLOWEST, every, key=lambda entry: entry[2].seconds):
        limit = limit_of(target.stage, limits)
        found.append(
            _Slow(
                str(target),
                titled(test, folder, base),
                test.seconds,
                test.setup,
                test.call,
                test.teardown,
                limit if too_slow(test, limit) else None,
            )
        )
    return found


def _tests(record: TargetRecord) -> list[TimedTest]:
    """Failed ones first, then in the order they ran."""
    return sorted(record.tests, key=lambda test: not failed(test.result))

"""What GitHub and Gitea Actions get: groups, annotations, the job summary."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasklib.events import Event, Notice, Output, RunFinished, RunStarted, TargetFinished
from tasklib.reporting.folds.folding import Folding
from tasklib.reporting.folds.run import RunState
from tasklib.reporting.lines.actions import ActionsSink, command
from tasklib.reporting.lines.markdown import cell, fenced, job_summary
from tasklib.results import RAN, Outcome, RunResult, Stage, Target, TargetResult
from tasklib.shown.cleaning import neutral

from .. import recordings

API = Target(Stage.UNIT, "api")
COMMAND = re.compile(r"^\s*::[a-z-]+.*?::", re.MULTILINE)


def printed(events: list[Event], **options: object) -> str:
    stream = io.StringIO()
    reporter = ActionsSink(stream, base=recordings.ROOT, workspace="/home/ana", **options)  # type: ignore[arg-type]
    sink = Folding(reporter)
    for event in events:
        sink.emit(event)
    return stream.getvalue()


def test_a_failure_is_annotated_where_it_is() -> None:
    """The annotation names the file relative to the job's checkout, the line, the test and the values."""
    found = printed(recordings.failing_unit())
    assert (
        "::error file=shop/services/api/tests/unit/test_orders.py,line=41,"
        "title=unit api%3A TestOrders%3A%3Atest_total_of_an_order::"
        "> assert order.total() == 1650%0AE assert 1560 == 1650%0A"
    ) in found
    assert found.splitlines()[-1].startswith("FAILED")


def test_a_failed_targets_output_is_in_a_group() -> None:
    """All lines of a failed target are there, folded; those of a passed one are not."""
    found = printed(recordings.failing_service())
    group = found[found.index("::group::all output of service api") :]
    assert "start: waiting for api: health starting" in group[: group.index("::endgroup::")]
    assert "all output of unit api" not in found


def test_what_ran_when_the_job_was_cancelled_is_annotated() -> None:
    """Nothing failed, and yet whoever looks at the job wants to know it; else there is nothing to say."""
    stopped = TargetResult(API, Outcome.INTERRUPTED, reason=f"ended by SIGTERM: t.py::test_x {RAN}")
    assert f"::warning title=unit api::{stopped.reason}" in printed([TargetFinished(stopped)])
    assert "::" not in printed([TargetFinished(replace(stopped, reason="ended by SIGTERM"))])


def test_a_target_that_could_not_run_is_annotated() -> None:
    """An error without tests is an annotation with its reason, a warning one with its text."""
    found = printed(recordings.failing_service())
    assert "::error title=service worker::container database exited with code 1" in found
    assert "::warning title=::" not in printed([Notice("careful", "warning")])
    assert "::warning::careful" in printed([Notice("careful", "warning")])


def test_annotations_are_limited() -> None:
    """A thousand failures make thirty annotations."""
    tests = [replace(recordings.FAILURE, id=f"t.py::test_{index}") for index in range(1000)]
    recording = recordings.Recording((API,))
    recording.target(API, 0.1, tests)
    assert printed(recording.finish()).count("::error ") == 30


@given(st.text(), st.text())
def test_commands_stay_on_their_line(message: str, title: str) -> None:
    """Whatever the values, a command is one line and its properties cannot be left early."""
    found = command("error", message, title=title)
    assert "\n" not in found
    assert "\r" not in found
    properties = found[len("::error") :].split("::")[0] if title else ""
    assert properties.count(",") == 0


@pytest.mark.parametrize(
    "line", ["::error::x", "  ::set-output name=a::b", "a ##[error]x", "::stop-commands::t"]
)
def test_tests_cannot_speak_to_the_runner(line: str) -> None:
    """A line of a test's output that is a workflow command is shown, not obeyed."""
    assert not COMMAND.match(neutral(line))
    assert "##[" not in neutral(line)
    found = printed([RunStarted("p", "i", (API,)), Output(API, line), Notice(line)], verbose=True)
    assert not COMMAND.search(found)


def test_the_job_summary_has_the_table_and_the_failures(tmp_path: Path) -> None:
    """The summary is added to what the step's file holds already."""
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    printed(recordings.failing_service(), summary=path)
    text = path.read_text()
    assert text.startswith("before\n## shop feature\\-auth: ERROR")
    assert "| ❌ | service api | 1 failed, 3 passed | 1.0s | 1.5s | 3.0s | 0.4s | 5.9s |" in text
    assert "FAILED services/api/tests/integration/test_jobs.py:58 test_order_is_paid[eur]" in text
    assert "worker | job 17 failed: KeyError: 'eur'" in text


def test_a_missing_summary_file_does_not_stop_the_lines(tmp_path: Path) -> None:
    """Where the summary cannot be written, a warning says so and the last line still comes."""
    found = printed(recordings.failing_unit(), summary=tmp_path / "none" / "summary.md")
    assert "warning: no job summary" in found
    assert found.splitlines()[-1].startswith("FAILED")


def test_a_summary_stays_below_githubs_limit() -> None:
    """However much failed, the summary is short enough to be shown at all."""
    tests = [replace(recordings.FAILURE, id=f"t.py::t{index}", output="x\n" * 500) for index in range(50)]
    targets = tuple(Target(Stage.UNIT, f"s{index}") for index in range(200))
    results = tuple(TargetResult(target, Outcome.FAILED, failures=tuple(tests)) for target in targets)
    text = job_summary(RunResult(results), RunState(), limit=100_000)
    assert len(text.encode()) < 110_000
    assert "More failures are in the log" in text


def test_markdown_shows_text_literally() -> None:
    """Names with pipes, tags, stars and fences break neither the table nor the blocks."""
    assert cell("a|b *c* <img> [x](y)\nz") == r"a\|b \*c\* &lt;img\> \[x\]\(y\) z"
    assert fenced("```\nx").startswith("````text\n")


def test_an_empty_run_has_a_summary(tmp_path: Path) -> None:
    """A run without targets is reported as well."""
    path = tmp_path / "summary.md"
    printed([RunStarted("p", "i", ()), RunFinished(RunResult(()))], summary=path)
    assert "PASSED: no tests" in path.read_text()

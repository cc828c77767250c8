"""What a pipe, a CI log or an agent reads."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasklib.events import Event, Notice, Output, RunFinished, RunStarted, TargetFinished, TestFinished
from tasklib.reporting.folds.folding import Folding
from tasklib.reporting.lines.plain import MAX_LINES, PlainSink, stages_by_line
from tasklib.results import Outcome, RunResult, Stage, Target, TargetResult, TestOutcome, TestResult

from .. import recordings

API = Target(Stage.UNIT, "api")


def printed(events: list[Event], *, verbose: bool = False) -> str:
    stream = io.StringIO()
    sink = Folding(PlainSink(stream, verbose=verbose, base=recordings.ROOT))
    for event in events:
        sink.emit(event)
    return stream.getvalue()


def test_a_passing_run_is_one_line_a_target_and_a_summary_that_ends_in_the_log() -> None:
    """A passing run of three services prints a line a target, and last the counts and the log's path."""
    found = printed(recordings.passing()).splitlines()
    assert [line.partition(":")[0] for line in found[1:-1]] == [
        "unit api", "unit worker", "unit frontend", "service api", "service worker", "service frontend",
        "integration shop",
    ]  # fmt: skip
    assert re.fullmatch(
        r"PASSED: 178 passed, 1 skipped in 7 targets \(\d+\.\ds\)\. Full log: .*\.log", found[-1]
    )
    assert "build 0.4s, start 1.1s, test" in next(line for line in found if line.startswith("service api"))


@given(
    st.lists(st.integers(0, 30), min_size=3, max_size=3).filter(any),
    st.integers(0, 5),
)
def test_a_passing_run_never_prints_more_than_twelve_lines(sizes: list[int], notices: int) -> None:
    """However many targets and notices a passing run has, it prints at most 12 lines, the log's path last."""
    targets = [
        Target(stage, f"s{index}") for stage, size in zip(Stage, sizes, strict=True) for index in range(size)
    ]
    recording = recordings.Recording(targets)
    for index in range(notices):
        recording.notice(0.1, f"note {index}")
    for target in targets:
        recording.target(target, 0.2, recordings.some_tests(2))
    found = printed(recording.finish()).splitlines()
    assert len(found) <= MAX_LINES
    assert found[-1].endswith(recordings.LOG)


@given(st.lists(st.integers(0, 40), min_size=3, max_size=3))
def test_large_stages_get_one_line_and_small_runs_keep_a_line_a_target(sizes: list[int]) -> None:
    """A stage of more than six targets is one line; nothing is grouped while all lines fit."""
    targets = [
        Target(stage, str(index)) for stage, size in zip(Stage, sizes, strict=True) for index in range(size)
    ]
    grouped = stages_by_line(targets)
    assert {stage for stage, size in zip(Stage, sizes, strict=True) if size > 6} <= grouped
    if all(size <= 6 for size in sizes) and sum(sizes) <= MAX_LINES - 2:
        assert not grouped


def test_a_failure_says_where_what_and_how_to_repeat_it() -> None:
    """A failed unit test shows file and line, the values, its output, its command; the rest is short."""
    found = printed(recordings.failing_unit())
    assert found == (
        "unit worker: 12 passed (0.1s)\n"
        "unit api: FAILED, 1 failed, 29 passed (0.4s)\n"
        "FAILED services/api/tests/unit/test_orders.py:41 TestOrders::test_total_of_an_order\n"
        "  > assert order.total() == 1650\n"
        "  E assert 1560 == 1650\n"
        "  E +  where 1560 = total()\n"
        "  E +    where total = Order(items=[Item('tea', 3, 250), Item('cup', 1, 900)]).total\n"
        "  printed:\n"
        "  | rounding 1560.0\n"
        "  | rounding 90.0\n"
        "  rerun: invoke test.unit --name api -k test_total_of_an_order\n"
        "skipped: service api, service worker, integration shop: the unit stage failed\n"
        "FAILED (unit api): 1 failed, 41 passed in 2 targets, 3 targets skipped (0.5s). "
        f"Full log: {recordings.LOG}\n"
    )


def test_a_stack_failure_shows_the_containers_lines_of_that_time() -> None:
    """A failed stack test shows its containers' log lines from around the failure, not those of the start."""
    found = printed(recordings.failing_service())
    assert "  rerun: invoke test.service --name api -k 'test_order_is_paid[eur]'\n" in found
    assert "  worker | job 17 failed: KeyError: 'eur'\n" in found
    assert "worker ready" not in found
    assert (
        "service worker: ERROR (2.9s: build 0.7s, start 2.0s, clean 0.2s): container database exited" in found
    )
    assert "  database | FATAL: no such user\n  rerun: invoke test.service --name worker\n" in found


def test_a_large_stage_still_names_the_target_that_failed() -> None:
    """In a stage shown as one line, a failed target keeps its own line and failures."""
    targets = [Target(Stage.UNIT, f"s{index}") for index in range(10)]
    recording = recordings.Recording(targets)
    for index, target in enumerate(targets):
        recording.target(target, 0.1, [recordings.FAILURE] if index == 4 else recordings.some_tests(3))
    found = printed(recording.finish()).splitlines()
    assert found[0].startswith("unit s4: FAILED, 1 failed")
    assert "unit: 10 targets (1 FAILED): 1 failed, 27 passed" in found[-2]
    assert not [line for line in found if line.startswith("unit s3")]


def test_an_interrupted_run_says_how_far_it_came() -> None:
    """An interrupted target counts what it did not run; the notice and the last line say so too."""
    found = printed(recordings.interrupted()).splitlines()
    assert "warning: stopping: service api, its stack is removed" in found
    assert any(line.startswith("service api: interrupted, 4 passed, 16 not run") for line in found)
    assert found[-1].startswith("INTERRUPTED: ")


def test_verbose_streams_every_line_with_its_target() -> None:
    """With verbose, what children write comes at once, each line after its target's name."""
    assert "service api | start: waiting for api: health starting\n" in printed(
        recordings.passing(), verbose=True
    )
    assert " | " not in printed(recordings.passing())


def test_a_notice_is_not_repeated() -> None:
    """The same notice twice is one line."""
    found = printed([RunStarted("p", "i", (API,)), Notice("slow engine"), Notice("slow engine")])
    assert found == "slow engine\n"


def test_warnings_are_shown_whatever_came_before() -> None:
    """Infos beyond the line budget go to the log alone, warnings never."""
    infos: list[Event] = [Notice(f"info {index}") for index in range(30)]
    found = printed([RunStarted("p", "i", (API,)), *infos, Notice("id is taken", "warning")])
    assert len(found.splitlines()) < MAX_LINES + 1
    assert "warning: id is taken\n" in found


def test_many_failures_are_shortened() -> None:
    """Of 500 failures ten are told in full, forty in a line each, the others are counted."""
    tests = [
        replace(recordings.FAILURE, id=f"tests/unit/test_orders.py::test_{index}") for index in range(500)
    ]
    recording = recordings.Recording([API])
    recording.target(API, 0.1, tests)
    found = printed(recording.finish())
    assert found.count("rerun:") == 10
    assert "... and 450 more failures ..." in found
    assert len(found.splitlines()) < 150


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_no_control_character_of_a_test_gets_through(text: str) -> None:
    """Whatever tests print, are called or raise, the lines hold newlines and printable text only."""
    hostile = f"\x1b[31m{text}\x1b]0;title\x07\x9b2J\r\n\x08{text}\x00"
    result = TestResult(
        id=f"tests/t.py::test[{hostile}]",
        outcome=TestOutcome.FAILED,
        file=f"tests/{hostile}.py",
        line=1,
        message=hostile,
        detail=f"E   {hostile}",
        output=hostile,
    )
    target = TargetResult(API, Outcome.FAILED, reason=hostile, failures=(result,), rerun=f"invoke {hostile}")
    events: list[Event] = [
        RunStarted(hostile, "i", (API,)),
        Notice(hostile),
        Output(API, hostile),
        TestFinished(API, result),
        TargetFinished(target),
        RunFinished(RunResult((target,))),
    ]
    found = printed(events, verbose=True)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", found)
    assert "[31m" not in found.replace(text, "") or "[31m" in text


def test_a_stream_without_unicode_gets_question_marks() -> None:
    """A pipe in an ASCII locale takes everything without an error."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    sink = Folding(PlainSink(stream))
    sink.emit(Notice("größer ✓"))
    assert raw.getvalue() == b"gr??er ?\n"


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        (recordings.passing(), "PASSED"),
        (recordings.failing_unit(), "FAILED"),
        (recordings.interrupted(), "INTERRUPTED"),
    ],
)
def test_the_last_line_begins_with_the_outcome(events: list[Event], outcome: str) -> None:
    """One word at the start of the last line tells how it went."""
    assert printed(events).splitlines()[-1].startswith(outcome)

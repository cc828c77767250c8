"""The run as a value, and its lines without a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from tasklib.events import (
    Event,
    Output,
    PhaseFinished,
    PhaseStarted,
    Progress,
    RunStarted,
    TargetFinished,
    TargetRestarted,
    TargetStarted,
    TestFinished,
    TestsCollected,
    TestStarted,
)
from tasklib.reporting.folds.run import RunState, advance
from tasklib.reporting.terminal.draw import MAX_WIDTH, render
from tasklib.results import Counts, Outcome, Phase, Stage, Target, TargetResult, TestOutcome, TestResult

from ....examples import examples
from .. import recordings
from ..recordings import T0

API = Target(Stage.UNIT, "api")
WEB = Target(Stage.UNIT, "frontend")
DB = Target(Stage.SERVICE, "price-db")
PLAN = RunStarted("shop", "feature-auth", (API, WEB, DB), at=T0)


def run_of(*events: Event) -> RunState:
    run = RunState()
    for event in events:
        run = advance(run, event)
    return run


def shown(
    *events: Event, now: float = 12.3, width: int = 80, height: int = 30, ascii: bool = False
) -> list[str]:
    return [line.plain for line in render(run_of(PLAN, *events), T0 + now, width, height, ascii=ascii)]


def running(done: int = 497, total: int = 955, *, worker: str = "") -> list[Event]:
    passed = TestResult("tests/t.py::t", TestOutcome.PASSED)
    return [
        TargetStarted(API, at=T0),
        PhaseStarted(API, Phase.TEST, at=T0),
        TestsCollected(API, total, at=T0),
        *[TestFinished(API, passed, at=T0)] * done,
        TestStarted(API, "tests/unit/test_q.py::test_data_quality_validation", worker, at=T0 + 12),
    ]


def test_the_run_looks_as_promised() -> None:
    """Stages in order; a running target has a bar, percentage, counts, seconds and its test beneath."""
    counted = Counts(total=74, passed=74)
    done = TargetFinished(TargetResult(WEB, Outcome.PASSED, counts=counted, seconds=3.2), at=T0)
    assert shown(*running(), TargetStarted(WEB, at=T0), done) == [
        "Unit tests",
        "  ● api       ━━━━━━━━━━░░░░░░░░░░   52%  497/955  12.3s",
        "    → test_data_quality_validation",
        "  ✓ frontend  74/74  3.2s",
        "Service tests",
        "  ○ price-db  pending",
        "12.3s · 1/3 targets · 571/1,029 tests · shop feature-auth",
    ]


def test_ascii_terminals_get_ascii() -> None:
    """Without Unicode every glyph has a stand-in."""
    found = shown(*running(), ascii=True)
    assert all(line.isascii() for line in found)
    assert found[1] == "  * api       ##########..........   52%  497/955  12.3s"


@pytest.mark.parametrize(
    ("phase", "text", "expected"),
    [
        (Phase.BUILD, "[api 2/5] COPY . .", "price-db  building  [api 2/5] COPY . .  2.0s"),
        (Phase.START, "waiting for database", "price-db  starting  waiting for database  2.0s"),
        (Phase.TEST, "", "price-db  collecting tests  2.0s"),
        (Phase.CLEAN, "", "price-db  cleaning  2.0s"),
    ],
)
def test_each_phase_says_what_it_is_at(phase: Phase, text: str, expected: str) -> None:
    """A phase without counts shows what it does, its progress, and how long the target works."""
    found = shown(TargetStarted(DB, at=T0), PhaseStarted(DB, phase, at=T0), Progress(DB, text, at=T0), now=2)
    assert next(line for line in found if "price-db" in line)[4:] == expected


def test_progress_goes_with_its_phase() -> None:
    """What a phase was at is gone once it ended; a started stack waits visibly for its turn."""
    events: list[Event] = [
        TargetStarted(DB, at=T0),
        PhaseStarted(DB, Phase.START, at=T0),
        Progress(DB, "waiting for database", at=T0),
        PhaseFinished(DB, Phase.START, at=T0 + 1),
    ]
    assert "  ◌ price-db  waiting  for unit tests, stack is ready  1.0s" in shown(*events, now=2)


def test_waiting_for_a_turn_does_not_count_as_work() -> None:
    """The seconds of a target are those of its phases, as in its result, whenever it was said to start."""
    events: list[Event] = [
        PhaseStarted(DB, Phase.BUILD, at=T0),
        PhaseFinished(DB, Phase.BUILD, at=T0 + 2),
        TargetStarted(DB, at=T0 + 5),
        PhaseStarted(DB, Phase.START, at=T0 + 6),
    ]
    assert run_of(PLAN, *events).targets[DB].seconds(T0 + 7) == 3
    assert run_of(PLAN, *events[:3]).targets[DB].seconds(T0 + 7) == 2


def test_parallel_workers_show_their_tests() -> None:
    """Several current tests of one target get a line each; beyond four they are counted."""
    events: list[Event] = running()[:3] + [
        TestStarted(API, f"tests/t.py::test_{index}", f"gw{index}", at=T0 + index) for index in range(6)
    ]
    found = shown(*events, now=10)
    assert found[2:6] == [
        "    → test_0  10.0s",
        "    → test_1  9.0s",
        "    → test_2  8.0s",
        "    → test_3  7.0s  (+2)",
    ]


def test_failures_and_skips_are_told() -> None:
    """A failing target counts its failures while it runs; afterwards each outcome says what and why."""
    failed = TestFinished(API, recordings.FAILURE, at=T0)
    assert "1 failed" in shown(*running(1, 10), failed)[1]
    results = [
        TargetResult(API, Outcome.FAILED, counts=Counts(10, passed=8, failed=2), seconds=1),
        TargetResult(WEB, Outcome.SKIPPED, "no tests/unit"),
        TargetResult(DB, Outcome.ERROR, "container database exited with code 1", seconds=2),
    ]
    found = shown(*(TargetFinished(result, at=T0) for result in results))
    assert found[1:5] == [
        "  ✗ api       2 failed, 8 passed  1.0s",
        "  – frontend  skipped: no tests/unit",  # noqa: RUF001
        "Service tests",
        "  ✗ price-db  container database exited with code 1  2.0s",
    ]


def test_seconds_and_spinners_move_without_events() -> None:
    """The same run looks different an eighth of a second later: nobody sees a still screen."""
    events: list[Event] = [TargetStarted(DB, at=T0), PhaseStarted(DB, Phase.BUILD, at=T0)]
    assert shown(*events, now=2.0) != shown(*events, now=2.125)


def test_more_targets_than_lines_keep_what_works_in_sight() -> None:
    """With 20 services on 12 lines, the running targets and the run's own line stay visible."""
    targets = recordings.plan(*(f"service-{index}" for index in range(20)))
    active = targets[7:9]
    events: list[Event] = [RunStarted("shop", "main", targets, at=T0)]
    events += [TargetFinished(TargetResult(target, Outcome.PASSED), at=T0) for target in targets[:7]]
    for target in active:
        events += [TargetStarted(target, at=T0), PhaseStarted(target, Phase.TEST, at=T0)]
        events += [TestsCollected(target, 10, at=T0), TestStarted(target, "t.py::test_x", at=T0)]
    found = [line.plain for line in render(run_of(*events), T0 + 1, 80, 12)]
    assert len(found) <= 12
    assert all(any(target.service in line for line in found) for target in active)
    assert "  … 7 done · 11 pending" in found
    assert found[-1].startswith("1.0s · 7/41 targets")
    tiny = [line.plain for line in render(run_of(*events), T0 + 1, 80, 4)]
    assert [line.split()[1:3] for line in tiny[:2]] == [["service-7", "unit"], ["service-8", "unit"]]


RECORDED = (recordings.passing(), recordings.failing_service(), recordings.interrupted())


@given(
    recorded=st.sampled_from(RECORDED),
    upto=st.integers(0, 400),
    width=st.integers(1, 140),
    height=st.integers(1, 40),
    ascii=st.booleans(),
)
@examples(2)
def test_no_line_is_wider_and_no_run_higher_than_the_terminal(
    recorded: list[Event], upto: int, width: int, height: int, ascii: bool
) -> None:
    """At any moment and any size the run fits, and it is never empty."""
    run = run_of(*recorded[:upto])
    found = render(run, T0 + upto / 100, width, height, ascii=ascii)
    assert 0 < len(found) <= height
    assert max(cell_len(line.plain) for line in found) <= min(width, MAX_WIDTH)


@given(name=st.text(max_size=60), text=st.text(max_size=60), width=st.integers(1, 100))
def test_hostile_names_keep_the_lines_apart(name: str, text: str, width: int) -> None:
    """Names and texts with wide, combining or control characters break neither lines nor widths."""
    target = Target(Stage.UNIT, name or "x")
    run = run_of(
        RunStarted(text, text, (target,), at=T0),
        TargetStarted(target, at=T0),
        PhaseStarted(target, Phase.TEST, at=T0),
        Progress(target, text, at=T0),
        TestsCollected(target, 3, at=T0),
        TestStarted(target, f"a.py::{text}", at=T0),
    )
    for line in render(run, T0, width, 20):
        assert "\n" not in line.plain
        assert "\x1b" not in line.plain
        assert cell_len(line.plain) <= width


def test_counts_of_the_runner_win_over_our_own() -> None:
    """The counts of a finished target are its result's; a late event changes nothing."""
    result = TargetResult(API, Outcome.PASSED, counts=Counts(total=5, passed=5))
    run = run_of(PLAN, *running(2, 5), TargetFinished(result, at=T0))
    late = advance(run, TestFinished(API, recordings.FAILURE, at=T0))
    assert run.targets[API].counts == result.counts
    assert late.targets is run.targets


def test_reruns_do_not_count_as_done() -> None:
    """A test that is tried again adds to the reruns, not to the tests that ended."""
    again = replace(recordings.FAILURE, outcome=TestOutcome.RERUN)
    run = run_of(PLAN, *running(1, 5), TestFinished(API, again, at=T0))
    assert run.targets[API].counts.done == 1
    assert run.targets[API].counts.rerun == 1


def test_what_is_not_shown_costs_nothing() -> None:
    """Output lines leave the targets as they are."""
    run = run_of(PLAN)
    assert advance(run, Output(API, "text", at=T0)).targets is run.targets


def test_cleaning_goes_on_after_the_result() -> None:
    """A stack that is removed while others run is shown so, and its time is known in the end."""
    ended: list[Event] = [
        TargetFinished(TargetResult(DB, Outcome.PASSED, counts=Counts(3, 3), seconds=2), at=T0 + 2),
        PhaseStarted(DB, Phase.CLEAN, at=T0 + 2),
    ]
    assert "  ✓ price-db  3/3  2.0s  cleaning" in shown(*ended)
    run = run_of(PLAN, *ended, PhaseFinished(DB, Phase.CLEAN, at=T0 + 3))
    assert run.targets[DB].spent(Phase.CLEAN) == 1
    assert not run.targets[DB].active


def test_what_a_target_did_before_it_began_anew_does_not_count() -> None:
    """On another engine; what other targets did stays."""
    passed = TestResult("tests/t.py::t", TestOutcome.PASSED)
    failed = TestResult("tests/t.py::u", TestOutcome.FAILED)
    other = TestFinished(WEB, passed, at=T0)
    run = run_of(PLAN, *running(1), other, TestFinished(API, failed, at=T0 + 1), TargetRestarted(API, "dead"))
    assert list(run.tests) == [other]
    assert run.targets[API].counts == Counts()
    assert not run.targets[API].current
    again = advance(run, TestFinished(API, passed, at=T0 + 2))
    assert again.targets[API].counts == Counts(total=1, passed=1)

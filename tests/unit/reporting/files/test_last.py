"""The last run, shown again."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from tasklib.events import Event, RunFinished, TargetFinished
from tasklib.reporting.files.last import LastSink, narrowed, shown
from tasklib.reporting.folds.folding import Folding
from tasklib.reporting.lines.plain import PlainSink
from tasklib.reporting.replay import read
from tasklib.results import ContainerLog, LogLine, Outcome, Stage, Target, TargetResult

from .. import recordings


@pytest.fixture
def events() -> list[Event]:
    return list(recordings.failing_service())


def kept(events: Sequence[Event], path: Path) -> list[Event]:
    with LastSink(path) as sink:
        for event in events:
            sink.emit(event)
    with path.open() as stream:
        return list(read(stream))


def plain(events: list[Event], path: Path) -> list[str]:
    with path.open("w") as stream:
        sink = Folding(PlainSink(stream))
        for event in events:
            sink.emit(event)
    return path.read_text().splitlines()


def test_it_shows_what_the_run_showed(events: list[Event], tmp_path: Path) -> None:
    """Failures with their details included; only the notes of a run that passed nothing on are gone."""
    again = shown(narrowed(kept(events, tmp_path / "last")), most=10_000)
    assert list(again) == plain(events, tmp_path / "plain")


def test_only_its_user_can_read_it(events: list[Event], tmp_path: Path) -> None:
    """It may hold what tests printed."""
    kept(events, tmp_path / "runs" / "last")
    assert stat.S_IMODE((tmp_path / "runs" / "last").stat().st_mode) == 0o600


def test_failures_alone(events: list[Event]) -> None:
    """What passed is left out, the verdict stays."""
    lines = shown(narrowed(events, failures=True), most=10_000)
    finished = next(event.result for event in events if isinstance(event, RunFinished))
    good = [
        str(result.target) for result in finished.targets if result.exit_code == 0 and not result.failures
    ]
    assert good
    assert not [line for line in lines for name in good if line.startswith(f"{name}: ")]


def test_it_is_bounded(events: list[Event]) -> None:
    """The verdict is always the last line, and the cut says how to see all."""
    whole = shown(narrowed(events), most=10_000)
    short = shown(narrowed(events), most=5)
    assert len(short) == 5
    assert (short[:3], short[-1]) == (whole[:3], whole[-1])
    assert f"--lines {len(whole)}" in short[3]


def test_the_lines_of_a_container(events: list[Event]) -> None:
    """Of the Compose service that was asked for, where a target failed."""
    finished = next(event.result for event in events if isinstance(event, RunFinished))
    log = next(log for result in finished.targets for log in result.logs)
    lines = shown(narrowed(events), logs=log.service, most=10_000)
    assert [line.rpartition(" | ")[2] for line in lines][: len(log.lines)] == [
        line.text for line in log.lines
    ]
    assert len(shown(narrowed(events), logs=log.service, most=2)) <= 2


def test_a_run_that_was_killed_is_shown_as_far_as_it_came(events: list[Event], tmp_path: Path) -> None:
    """It says that it was cut off."""
    without_end = [event for event in events if not isinstance(event, RunFinished)]
    lines = shown(narrowed(kept(without_end, tmp_path / "last")), most=10_000)
    assert any("cut off" in line for line in lines)


def test_a_container_that_wrote_nothing_is_said_with_those_that_did() -> None:
    """A name that is wrong, or a silent container, is told from a command that did nothing."""
    log = ContainerLog("db", (LogLine(1.0, "deadlock"),))
    result = TargetResult(Target(Stage.SERVICE, "api"), Outcome.FAILED, logs=(log,))
    told = "cache wrote nothing while tests failed in that run"
    assert shown([TargetFinished(result)], logs="cache", most=9) == (f"{told}: db did",)
    assert shown([], logs="cache", most=9) == (f"{told}, nor did any other container",)

"""The events as JSON lines, and back."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tasklib.errors import UsageError
from tasklib.events import Event, Notice, RunFinished
from tasklib.reporting import replay
from tasklib.reporting.lines.jsonlines import JsonSink, from_object, to_object
from tasklib.results import Stage, Target

from .. import recordings

RECORDED = [recordings.passing(), recordings.failing_service(), recordings.interrupted()]


@pytest.mark.parametrize("events", RECORDED)
def test_every_event_survives_json(events: list[Event]) -> None:
    """What is read back equals what was written."""
    for event in events:
        assert from_object(json.loads(json.dumps(to_object(event)))) == event


def test_one_object_a_line_in_ascii() -> None:
    """Each event is one line, whatever its strings hold, readable in any locale."""
    stream = io.StringIO()
    JsonSink(stream).emit(Notice("a\nb\u2028c ✓"))
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().isascii()
    assert json.loads(stream.getvalue())["text"] == "a\nb\u2028c ✓"


def test_the_last_line_tells_the_exit_code() -> None:
    """A program needs only the last object to know how the run went."""
    last = to_object(recordings.failing_unit()[-1])
    assert last["event"] == "run_finished"
    assert last["result"]["outcome"] == "failed"
    assert last["result"]["exit_code"] == 1
    assert last["result"]["targets"][0]["failures"][0]["seconds"] == pytest.approx(0.021)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"v": 2, "event": "notice"}, "version 2"),
        ({"v": 1, "event": "nothing"}, "unknown event"),
        ({"v": 1, "event": "notice", "text": 3}, "Expected `str`"),
    ],
)
def test_what_is_no_event_is_refused(found: dict[str, object], message: str) -> None:
    """Another version, an unknown kind and a wrong type are named."""
    with pytest.raises(ValueError, match=message):
        from_object(found)


def test_unknown_fields_are_left_out() -> None:
    """A later release may add fields without breaking an earlier reader."""
    found = to_object(Notice("x", target=Target(Stage.UNIT, "api"))) | {"colour": "red"}
    assert isinstance(from_object(found), Notice)


def test_a_recording_can_be_replayed(tmp_path: Path) -> None:
    """A replay of a recording prints what the run itself printed."""
    recording = tmp_path / "run.jsonl"
    with recording.open("w", encoding="utf-8") as file:
        sink = JsonSink(file)
        for event in recordings.failing_unit():
            sink.emit(event)
    stream = io.StringIO()
    assert replay.main([str(recording), "--format", "plain"], stream=stream) == 0
    assert stream.getvalue().splitlines()[-1].startswith("FAILED (unit api)")


def test_a_broken_recording_names_its_line() -> None:
    """The line that is no event is named."""
    with pytest.raises(UsageError, match=r"run\.jsonl:2: not an event"):
        list(replay.read(['{"v":1,"event":"notice","text":"x"}', "{"], "run.jsonl"))


def test_replaying_at_speed_moves_the_times_to_now() -> None:
    """Played in time, events carry the time they are shown at, in their recorded order."""
    kept: list[Event] = []

    class Keep:
        def emit(self, event: Event) -> None:
            kept.append(event)

    replay.play(recordings.failing_unit(), Keep(), speed=100)
    assert isinstance(kept[-1], RunFinished)
    assert kept[0].at > recordings.T0 + 1 or kept[0].at < recordings.T0
    assert [event.at for event in kept] == sorted(event.at for event in kept)

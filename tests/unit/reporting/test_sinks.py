"""Which sinks a run gets, and that none of them can break it."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tasklib.errors import UsageError
from tasklib.events import Event, Notice, Output, RunFinished, RunStarted
from tasklib.reporting.folds.folding import EventsAlone, Folding
from tasklib.reporting.guard import Guarded
from tasklib.reporting.lines.log import LogSink
from tasklib.reporting.sinks import capable, open_sinks
from tasklib.results import RunResult, Stage, Target
from tasklib.shown.masking import hide

from . import recordings

API = Target(Stage.UNIT, "api")
TERMINAL = {"TERM": "xterm-256color"}


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(format: str, env: dict[str, str], stream: io.StringIO | None = None, **options: object) -> str:
    stream = stream or io.StringIO()
    with open_sinks(format, stream=stream, env=env, **options) as sink:  # type: ignore[arg-type]
        for event in recordings.failing_unit():
            sink.emit(event)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("env", "tty", "expected"),
    [
        (TERMINAL, True, True),
        (TERMINAL, False, False),
        ({"TERM": "dumb"}, True, False),
        ({}, True, False),
        ({**TERMINAL, "CI": "true"}, True, False),
        ({**TERMINAL, "NO_COLOR": "1"}, True, True),
    ],
)
def test_a_board_needs_a_terminal_and_a_person(env: dict[str, str], tty: bool, expected: bool) -> None:
    """Dumb terminals, pipes and CI jobs get lines; NO_COLOR changes colors only."""
    assert capable(Tty() if tty else io.StringIO(), env) is expected


def test_formats_choose_the_sink() -> None:
    """auto is the board on a terminal and lines elsewhere; plain and json are what they say anywhere."""
    assert "\x1b[?25l" in shown("auto", TERMINAL, Tty())
    assert "\x1b" not in shown("auto", TERMINAL)
    assert "\x1b" not in shown("plain", TERMINAL, Tty())
    assert "\x1b" not in shown("live", TERMINAL)
    assert "\x1b[?25l" in shown("live", {**TERMINAL, "CI": "true"}, Tty())
    assert json.loads(shown("json", {}).splitlines()[-1])["event"] == "run_finished"
    assert "::error file=" in shown("auto", {"GITHUB_ACTIONS": "true"})
    assert "::error" not in shown("json", {"GITHUB_ACTIONS": "true"})


def test_lines_of_others_are_no_commands_to_the_agent_that_reads_them() -> None:
    """Azure's obeys `##vso[` wherever it stands, in what tests print as well."""
    stream = io.StringIO()
    with open_sinks("plain", verbose=True, stream=stream, env={"TF_BUILD": "True"}) as sink:
        sink.emit(Output(API, "done ##vso[task.setvariable variable=PATH]/tmp"))
    assert "done ## vso[task.setvariable" in stream.getvalue()


@pytest.mark.parametrize("variable", ["AI_AGENT", "CLAUDECODE", "CURSOR_AGENT", "GEMINI_CLI"])
def test_a_coding_agent_gets_lines(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """On a terminal too, as it keeps what a board draws over; who asks for the board gets it."""
    monkeypatch.setenv(variable, "1")
    assert "\x1b" not in shown("auto", TERMINAL, Tty())
    assert "\x1b[?25l" in shown("live", TERMINAL, Tty())


def test_an_unknown_format_is_refused_with_those_that_are_known() -> None:
    """A mistyped format is wrong usage, and all of them fit into the line."""
    with (
        pytest.raises(UsageError, match="auto, live, plain, json, not 'plian'"),
        open_sinks("plian", stream=Tty(), env={}),
    ):
        pass


def test_the_log_has_everything_and_is_private(tmp_path: Path) -> None:
    """The log file holds what the short output leaves out, readable by its owner alone."""
    path = tmp_path / "state" / "run.log"
    shown("plain", {}, log_file=path)
    text = path.read_text()
    assert "tests/unit/test_orders.py::test_orders_case_0" in text
    assert "where total = Order(items=" in text
    assert "exit code 1" in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_last_line_names_the_log(tmp_path: Path) -> None:
    """The lines end with the log's path, in JSON too, although the run itself knows nothing of it."""
    path = tmp_path / "run.log"
    for format, end in (("plain", f"Full log: {path}"), ("json", "")):
        stream = io.StringIO()
        with open_sinks(format, stream=stream, env={}, log_file=path) as sink:
            sink.emit(RunFinished(RunResult(())))
        last = stream.getvalue().splitlines()[-1]
        assert last.endswith(end) if end else json.loads(last)["result"]["log_file"] == str(path)


def test_the_log_shows_what_every_event_holds(tmp_path: Path) -> None:
    """No kind of event is missing in the log, each line has its time."""
    path = tmp_path / "run.log"
    with LogSink(path) as sink:
        for event in [*recordings.failing_service(), *recordings.interrupted()]:
            sink.emit(event)
    text = path.read_text()
    for part in (
        "run of shop, instance feature-auth: unit api",
        "service api: start ...",
        "service api: waiting for api: health starting",
        "service api | build: exporting layers",
        "service api: 4 tests",
        "worker | ",
        "job 17 failed: KeyError",
        "rerun: invoke test.service --name api",
        "warning: stopping",
    ):
        assert part in text
    assert all(line[2] == ":" for line in text.splitlines())


def test_a_log_that_cannot_be_written_does_not_stop_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a log the run goes on, with one line about it."""
    (tmp_path / "file").touch()
    assert shown("plain", {}, log_file=tmp_path / "file" / "run.log").splitlines()[-1].startswith("FAILED")
    assert capsys.readouterr().err.startswith("warning: no full log: ")


def test_secrets_are_masked_in_every_sink(tmp_path: Path) -> None:
    """Lines, log and reports show no secret, also if it became known late."""
    stream = io.StringIO()
    files = [tmp_path / name for name in ("run.json", "run.xml", "run.html")]
    with open_sinks(
        "plain", verbose=True, stream=stream, env={}, reports=files, log_file=tmp_path / "l"
    ) as sink:
        hide({"API_TOKEN": "order.total"})
        for event in [*recordings.failing_unit(), Output(API, "order.total")]:
            sink.emit(event)
    for text in (stream.getvalue(), *(path.read_text() for path in (*files, tmp_path / "l"))):
        assert "order.total" not in text
        assert "***" in text


def test_events_may_come_from_many_threads() -> None:
    """Lines of parallel targets are never torn."""
    stream = io.StringIO()
    with open_sinks("plain", verbose=True, stream=stream, env={}) as sink:
        sink.emit(RunStarted("p", "i", (API,)))

        def speak(number: int) -> None:
            for _ in range(50):
                sink.emit(Output(API, f"{number}" * 50))

        threads = [threading.Thread(target=speak, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = stream.getvalue().splitlines()
    assert len(found) == 200
    assert {line.removeprefix("unit api | ") for line in found} == {f"{n}" * 50 for n in range(4)}


class Broken:
    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def emit(self, event: Event) -> None:
        self.calls += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(28, "No space left on device"), ["x stopped: [Errno 28] No space left on device"]),
        (KeyError(), ["x stopped: KeyError"]),
        (BrokenPipeError(), []),
    ],
)
def test_a_broken_sink_is_told_once_and_left_out(error: Exception, expected: list[str]) -> None:
    """A full disk or a bug in a report is one line, a reader that went away is none."""
    complaints: list[str] = []
    broken = Broken(error)
    sink = Folding(Guarded(EventsAlone(broken), "x", complaints.append))
    for _ in range(3):
        sink.emit(Notice("x"))
    assert complaints == expected
    assert broken.calls == 1


def test_lines_need_no_rich() -> None:
    """Off a terminal, neither Rich nor Jinja2 nor pygal is imported."""
    code = (
        "import io, sys\n"
        "from tasklib.events import Notice\n"
        "from tasklib.reporting.sinks import open_sinks\n"
        "with open_sinks('auto', stream=io.StringIO(), env={}) as sink: sink.emit(Notice('x'))\n"
        "print(sorted({'rich', 'jinja2', 'pygal'} & set(sys.modules)))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_a_log_of_endless_output_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the first lines, the last ones, how many are left out, and results."""
    from tasklib.events import Output, TargetFinished
    from tasklib.reporting.lines import log
    from tasklib.results import Outcome, Stage, Target, TargetResult

    monkeypatch.setattr(log, "OUTPUT", 1000)
    monkeypatch.setattr(log, "HELD", 10)
    api = Target(Stage.UNIT, "api")
    path = tmp_path / "run.log"
    with log.LogSink(path) as sink:
        for number in range(5000):
            sink.emit(Output(api, f"line {number}"))
        sink.emit(TargetFinished(TargetResult(api, Outcome.PASSED)))
    text = path.read_text()
    assert len(text) < 3000
    assert "line 0\n" in text
    assert "line 4999\n" in text
    assert "lines left out" in text
    assert text.index("line 4999") < text.index("unit api: ")

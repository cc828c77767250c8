"""The live board on a terminal that exists only in memory."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyte
import pytest
from rich.console import Console, ConsoleDimensions

from tasklib.events import (
    Event,
    Notice,
    Output,
    PhaseStarted,
    RunFinished,
    RunStarted,
    TargetStarted,
    TestFinished,
)
from tasklib.reporting.folds.folding import Folding
from tasklib.reporting.folds.slowest import Slowest
from tasklib.reporting.terminal.live import LiveSink, make_console, reflows
from tasklib.results import Phase, RunResult, Stage, Target

from .. import recordings
from ..recordings import T0

API = Target(Stage.UNIT, "api")
DB = Target(Stage.SERVICE, "db")
PLAN = RunStarted("shop", "main", (API, DB), at=T0)


class Terminal(io.StringIO):
    """What was written, and the screen that it makes."""

    console: Console

    def __init__(self, width: int = 80, height: int = 24) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(width, height, history=1000)
        self._stream = pyte.Stream(self.screen)

    def write(self, text: str) -> int:
        self._stream.feed(text.replace("\n", "\r\n"))
        return super().write(text)

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """Everything that is or was on the screen, without blank lines at the end."""
        width = self.screen.columns
        past = ["".join(row[column].data for column in range(width)) for row in self.screen.history.top]
        found = [line.rstrip() for line in (*past, *self.screen.display)]
        while found and not found[-1]:
            found.pop()
        return found


@contextmanager
def live(terminal: Terminal, *, no_color: bool = False, **options: object) -> Iterator[Folding]:
    terminal.console = Console(
        file=terminal,
        force_terminal=True,
        width=terminal.screen.columns,
        height=terminal.screen.lines,
        color_system="truecolor",
        no_color=no_color,
        highlight=False,
        markup=False,
        emoji=False,
    )
    with LiveSink(terminal.console, base=recordings.ROOT, clock=lambda: T0 + 1, **options) as sink:  # type: ignore[arg-type]
        yield Folding(sink)


def play(events: list[Event], terminal: Terminal, **options: object) -> list[str]:
    with live(terminal, **options) as sink:  # type: ignore[arg-type]
        for event in events:
            sink.emit(event)
    return terminal.lines()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "nothing was drawn"
        threading.Event().wait(0.01)


def test_after_a_run_only_the_summary_is_left() -> None:
    """The board is gone, the table tells each target's tests and times, the log's path is last."""
    found = play(recordings.passing(), Terminal(width=100, height=40))
    assert found[0] == "instance feature-auth"
    assert found[2].split() == ["tests", "total", "build", "start", "test", "clean"]
    assert [line.split()[:3] for line in found[3:7]] == [
        ["Unit", "tests", "1.1s"],
        ["✓", "api", "40"],
        ["✓", "worker", "46"],
        ["✓", "frontend", "54"],
    ]
    assert found[-3].startswith("PASSED: 178 passed, 1 skipped in 7 targets (7.3s)")
    assert found[-2] == "work: build 3.3s · start 5.5s · test 4.9s · clean 1.4s"
    assert found[-1] == f"full log: {recordings.LOG}"


def test_a_failure_appears_at_once_above_the_board() -> None:
    """The moment a test fails it is told above the board, and the board goes on below."""
    terminal = Terminal()
    with live(terminal) as sink:
        sink.emit(PLAN)
        sink.emit(TargetStarted(API, at=T0))
        sink.emit(PhaseStarted(API, Phase.BUILD, at=T0))
        sink.emit(TestFinished(API, recordings.FAILURE, at=T0))
        wait_until(lambda: any("building" in line for line in terminal.lines()))
        found = terminal.lines()
    assert found[:2] == [
        "✗ unit api  TestOrders::test_total_of_an_order",
        "    tests/unit/test_orders.py:41",
    ]
    assert "    E assert 1560 == 1650" in found
    assert found.index("    | rounding 90.0") < found.index("Unit tests")
    assert "building" in found[found.index("Unit tests") + 1]


def test_a_notice_shows_at_once() -> None:
    """Ctrl-C's message is on the screen as soon as it was emitted."""
    terminal = Terminal()
    with live(terminal) as sink:
        sink.emit(PLAN)
        sink.emit(Notice("stopping: the stack of service db is removed", "warning"))
        assert terminal.lines()[0] == "stopping: the stack of service db is removed"


def test_the_board_moves_without_events() -> None:
    """Nothing is emitted, and still something new is drawn several times a second."""
    terminal = Terminal()
    with live(terminal) as sink:
        sink.emit(PLAN)
        size = len(terminal.getvalue())
        wait_until(lambda: len(terminal.getvalue()) > size)


def test_the_end_lists_failures_with_their_commands() -> None:
    """What failed is listed again at the end, since it scrolled by, with what repeats it."""
    found = play(recordings.failing_service(), Terminal(width=100, height=60))
    start = next(index for index, line in enumerate(found) if "Integration tests" in line)
    assert "  – shop           skipped: the service stage failed" in found[start:]  # noqa: RUF001
    assert "✗ service api  test_order_is_paid[eur]" in found[start:]
    assert "    services/api/tests/integration/test_jobs.py:58" in found[start:]
    assert "    invoke test.service --name api -k 'test_order_is_paid[eur]'" in found[start:]
    assert "    invoke test.service --name worker" in found[start:]
    assert "    worker | job 17 failed: KeyError: 'eur'" in found[:start]


@pytest.mark.parametrize("width", [30, 50, 80, 120])
def test_a_run_fits_terminals_of_any_width(width: int) -> None:
    """The summary's table stays within the terminal, phases only where there is room."""
    terminal = Terminal(width=width, height=60)
    found = play(recordings.passing(), terminal)
    assert any("PASSED" in line for line in found)
    assert any("build" in line and "total" in line for line in found) is (width >= 100)


def test_no_color_writes_no_color() -> None:
    """With NO_COLOR no color is set; the glyphs tell the states."""
    terminal = Terminal(width=100, height=40)
    play(recordings.failing_unit(), terminal, no_color=True)
    assert not any(f"\x1b[{code}m" in terminal.getvalue() for code in (31, 32, 33, 36))
    assert "31m" not in terminal.getvalue()
    assert make_console(terminal, {"NO_COLOR": "1"}).no_color is True


def test_verbose_prints_lines_with_their_target() -> None:
    """What a child writes comes above the board, cleaned, after its target's name."""
    terminal = Terminal()
    with live(terminal, verbose=True) as sink:
        sink.emit(PLAN)
        sink.emit(Output(API, "\x1b[31mhello [bold]x[/]\x1b[2J", at=T0))
        assert terminal.lines()[0] == "unit api | hello [bold]x[/]"


def test_slow_tests_are_told_before_the_verdict() -> None:
    """With durations the marked lines come before the run's own."""
    found = play(recordings.large(), Terminal(width=120, height=80), slowest=Slowest(3, {}))
    slow = [index for index, line in enumerate(found) if line.startswith("SLOW")]
    verdict = next(index for index, line in enumerate(found) if line.startswith("ERROR ("))
    assert slow
    assert max(slow) < verdict


def test_a_narrower_terminal_keeps_what_was_printed() -> None:
    """When the terminal gets narrower, the old board goes and the failure above it stays."""
    terminal = Terminal(width=100, height=40)
    with live(terminal, reflow=False) as sink:
        sink.emit(PLAN)
        sink.emit(TestFinished(API, recordings.FAILURE, at=T0))
        terminal.screen.resize(columns=60)
        terminal.console.size = ConsoleDimensions(60, 40)
        drawn = len(terminal.getvalue())
        wait_until(lambda: len(terminal.getvalue()) > drawn + 200)
        sink.emit(RunFinished(RunResult(()), at=T0))
    found = terminal.lines()
    assert found[0] == "✗ unit api  TestOrders::test_total_of_an_order"
    assert not any(line.startswith("Unit tests") for line in found)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm", "XTERM_VERSION": "XTerm(390)"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "screen-256color", "TMUX": "/tmp/t"}, True),
        ({"TERM": "screen"}, False),
    ],
)
def test_which_terminals_wrap_lines_anew(env: dict[str, str], expected: bool) -> None:
    """Old terminals cut lines when they get narrower, others wrap them."""
    assert reflows(env) is expected


def test_ending_early_leaves_the_cursor_visible() -> None:
    """An exception in the middle of a run takes the board away and gives the cursor back."""
    terminal = Terminal()

    def break_off() -> None:
        with live(terminal) as sink:
            sink.emit(PLAN)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")
    assert terminal.lines() == []

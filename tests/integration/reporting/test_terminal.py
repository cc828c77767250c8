"""The live board of a whole command, on a real pseudo-terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Terminal

REPLAY = ("-m", "tasklib.reporting.replay")

Start = Callable[..., Terminal]
Recorded = Callable[..., Path]


def test_the_board_shows_a_run_and_then_its_summary(terminal: Start, recorded: Recorded) -> None:
    """While it runs, stages and states are on the screen; afterwards only the summary."""
    shown = terminal(*REPLAY, recorded("passing"), "--speed", "2")
    shown.until("Unit tests")
    shown.until("pending")
    shown.until("building")
    shown.until("✓ api")
    assert shown.finish() == 0
    found = shown.lines()
    assert not any("pending" in line for line in found)
    assert any(line.startswith("PASSED: 178 passed") for line in found)


@pytest.mark.parametrize(("width", "height"), [(60, 12), (130, 50), (24, 6)])
def test_a_resized_terminal_stays_tidy(terminal: Start, recorded: Recorded, width: int, height: int) -> None:
    """After a resize in the middle of a run, the board fits the new size and leaves nothing behind."""
    shown = terminal(*REPLAY, recorded("failing_service"), "--speed", "1.5", width=90, height=30)
    shown.until("starting")
    shown.resize(width, height)
    shown.until("●")
    assert all(len(line.rstrip()) <= width for line in shown.screen.display)
    assert sum("Service tests" in line for line in shown.screen.display) <= 1
    assert shown.finish() == 0
    text = " ".join(" ".join(shown.lines()).split())
    assert "container database exited with code 1" in text or width < 30
    assert "invoke test.service" in text


def test_ctrl_c_gives_the_terminal_back(terminal: Start, recorded: Recorded) -> None:
    """Interrupted in the middle, the board goes, the cursor is visible, and the exit code is 130."""
    shown = terminal(*REPLAY, recorded("passing"), "--speed", "0.5")
    shown.until("Unit tests")
    shown.child.sendintr()
    assert shown.finish() == 130
    assert shown.text.rindex("\x1b[?25h") > shown.text.rindex("\x1b[?25l")
    assert not any("pending" in line for line in shown.lines())


def test_no_color_and_ascii(terminal: Start, recorded: Recorded) -> None:
    """NO_COLOR leaves glyphs without colors, an ASCII locale leaves ASCII."""
    shown = terminal(
        *REPLAY, recorded("failing_unit"), "--speed", "1",
        NO_COLOR="1", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert shown.finish() == 0
    assert "31m" not in shown.text
    assert shown.text.isascii()
    assert any(line.startswith("x unit api") for line in shown.lines())


def test_a_dumb_terminal_gets_lines(terminal: Start, recorded: Recorded) -> None:
    """With TERM=dumb nothing but plain lines is written."""
    shown = terminal(*REPLAY, recorded("passing"), TERM="dumb")
    assert shown.finish() == 0
    assert "\x1b" not in shown.text
    assert len(shown.lines()) <= 12


def test_a_pipe_gets_lines(recorded: Recorded) -> None:
    """Off a terminal a passing run is at most 12 lines without control characters."""
    command = [sys.executable, *REPLAY, str(recorded("large", services=10, tests=66))]
    env = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB")}
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert found.stderr == ""
    assert "\x1b" not in found.stdout
    ours = [line for line in found.stdout.splitlines() if not line.startswith(("  ", "FAILED serv"))]
    assert len(ours) <= 12


def test_a_reader_that_goes_away_is_no_error(recorded: Recorded) -> None:
    """Piped into something that stops reading, the command ends as it would have."""
    command = [sys.executable, *REPLAY, str(recorded("large")), "--verbose"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 0

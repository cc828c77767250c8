"""Reading what a child writes: promptly, together where it comes in crumbs, at full speed where it floods."""

from __future__ import annotations

import sys
import time

from tasklib import process


def test_crumbs_are_read_in_order_and_whole() -> None:
    """A child that writes line by line loses none of them to the pauses between two reads."""
    code = "for n in range(3000): print(n, flush=True)"
    lines: list[str] = []
    assert process.stream([sys.executable, "-c", code], on_line=lambda _, line: lines.append(line)) == 0
    assert lines == [str(number) for number in range(3000)]


def test_a_line_of_a_child_that_goes_on_is_told_at_once() -> None:
    """What comes first is handed on while the child still runs."""
    told: list[float] = []
    code = "import time; print('first', flush=True); time.sleep(0.5); print('last')"
    process.stream([sys.executable, "-c", code], on_line=lambda *_: told.append(time.monotonic()))
    assert told[1] - told[0] > 0.3


def test_a_flood_is_read_at_full_speed() -> None:
    """Twenty megabytes take no pauses of ours."""
    began = time.monotonic()
    done = process.run([sys.executable, "-c", "import sys; sys.stdout.write(('x' * 99 + '\\n') * 200_000)"])
    assert len(done.stdout) == 20_000_000
    assert time.monotonic() - began < 5


def test_ticks_go_on_while_a_child_is_silent_and_the_deadline_is_told() -> None:
    """on_tick comes without any output; on_timeout once, before the child is ended."""
    ticks: list[float] = []
    ends: list[float] = []
    try:
        process.stream(
            [sys.executable, "-c", "import time; time.sleep(600)"],
            on_line=lambda *_: None,
            timeout=1.0,
            on_tick=lambda: ticks.append(time.monotonic()),
            on_timeout=lambda: ends.append(time.monotonic()),
        )
    except process.TimedOut:
        pass
    else:
        raise AssertionError("it ended by itself")
    assert len(ticks) > 5
    assert len(ends) == 1

"""Reading what a child writes: promptly, together where it comes in crumbs, at full speed where it floods."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tasklib import process
from tasklib.process import reading


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


def test_a_flood_is_read_at_full_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of twenty megabytes, what fills the pipe is read without a pause of ours."""
    pauses = 0
    real = reading._until_exit

    @contextlib.contextmanager
    def counted(child: subprocess.Popen[bytes]) -> Iterator[Callable[[], object]]:
        with real(child) as pause:

            def count() -> object:
                nonlocal pauses
                pauses += 1
                return pause()

            yield count

    monkeypatch.setattr(reading, "_until_exit", counted)
    done = process.run([sys.executable, "-c", "import sys; sys.stdout.write(('x' * 99 + '\\n') * 200_000)"])
    assert len(done.stdout) == 20_000_000
    assert pauses < 20_000_000 / 65_536


def test_ticks_go_on_while_a_child_is_silent_and_may_end_it() -> None:
    """on_tick comes without any output; what it raises comes out, and the child is gone."""
    pids: list[int] = []
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks > 5 and pids:
            raise LookupError

    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(LookupError):
        process.stream([sys.executable, "-c", code], on_line=lambda _, n: pids.append(int(n)), on_tick=tick)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_child_that_takes_too_long_is_ended() -> None:
    """A time limit ends a silent child, and is told with its seconds."""
    with pytest.raises(process.TimedOut, match=r"more than 0\.2 s"):
        process.run([sys.executable, "-c", "import time; time.sleep(600)"], timeout=0.2)

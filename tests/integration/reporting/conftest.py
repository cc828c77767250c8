"""Recorded runs, and a terminal to show them on."""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tasklib.events import Event
from tasklib.reporting.lines.jsonlines import to_object

RECORDINGS = Path(__file__).parents[2] / "unit" / "reporting" / "recordings.py"


@pytest.fixture(scope="session")
def recordings() -> dict[str, Callable[..., list[Event]]]:
    """The recorded runs of the unit tests by name."""
    return runpy.run_path(str(RECORDINGS), run_name="recordings")


@pytest.fixture
def recorded(tmp_path: Path, recordings: dict[str, Callable[..., list[Event]]]) -> Callable[..., Path]:
    """Writes a recorded run to a file of JSON lines: ``recorded("passing")``."""

    def write(name: str, **options: object) -> Path:
        path = tmp_path / f"{name}.jsonl"
        events = recordings[name](**options)
        path.write_text("".join(json.dumps(to_object(event)) + "\n" for event in events))
        return path

    return write


class Terminal:
    """A program on a pseudo-terminal, and the screen it makes."""

    def __init__(self, argv: list[str], env: dict[str, str], width: int, height: int) -> None:
        self.screen = pyte.HistoryScreen(width, height, history=2000)
        self.text = ""
        self._stream = pyte.Stream(self.screen)
        self.child = pexpect.spawn(
            argv[0], argv[1:], env=env, dimensions=(height, width), encoding="utf-8", timeout=30
        )

    def lines(self) -> list[str]:
        """Everything that is or was on the screen, without blank lines at the end."""
        past = [
            "".join(row[column].data for column in range(self.screen.columns))
            for row in self.screen.history.top
        ]
        found = [line.rstrip() for line in (*past, *self.screen.display)]
        while found and not found[-1]:
            found.pop()
        return found

    def until(self, text: str, timeout: float = 30.0) -> None:
        """Read until the screen shows ``text``."""
        end = time.monotonic() + timeout
        while not any(text in line for line in self.screen.display):
            assert time.monotonic() < end, f"{text!r} not in:\n" + "\n".join(self.screen.display)
            self._read()

    def finish(self, timeout: float = 30.0) -> int:
        """Read to the end and return the exit code, for a signal 128 and its number."""
        end = time.monotonic() + timeout
        while self._read():
            assert time.monotonic() < end, "\n".join(self.screen.display)
        self.child.close()
        if self.child.signalstatus is not None:
            return 128 + int(self.child.signalstatus)
        return int(self.child.exitstatus or 0)

    def resize(self, width: int, height: int) -> None:
        self.screen.resize(height, width)
        self.child.setwinsize(height, width)

    def _read(self) -> bool:
        """Read less than a frame of a small screen: on a slow machine, too, no frame goes by unseen."""
        try:
            text = self.child.read_nonblocking(128, timeout=0.1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.text += text
        self._stream.feed(text)
        return True


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Starts a program on a terminal of its own; ended with the test."""
    opened: list[Terminal] = []

    def start(*argv: object, width: int = 100, height: int = 40, **variables: str) -> Terminal:
        kept = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
        env = {**kept, "TERM": "linux", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "0", **variables}
        found = Terminal([sys.executable, *map(str, argv)], env, width, height)
        opened.append(found)
        return found

    yield start
    for found in opened:
        found.child.close(force=True)

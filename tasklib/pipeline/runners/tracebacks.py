"""Where a test process stands: the Python stacks that its interpreter writes when it is asked or dies."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["awaits", "dump", "first_in", "from_stacks", "has_frames", "lean", "line_in", "what_stays"]

PATIENCE = 0.5
"""Seconds that an interpreter has to write its stacks."""

_FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+)(?P<last>,)? in ')
_MACHINERY = re.compile(
    r'File ".*[/\\](_pytest|pluggy|xdist|execnet|pytest)[/\\]|File ".*[/\\]bin[/\\]|<frozen runpy>'
)


def dump(events: Path, pids: Mapping[str, int]) -> dict[str, str]:
    """Have the interpreters ``pids`` write their stacks beside ``events``, as the injected plugin set up.

    Returns the stacks under the keys of ``pids``. Only a process that still holds the event file open is
    asked: the signal would end any other. Empty on systems that cannot tell.
    """
    number = getattr(signal, "SIGRTMAX", None)
    asked = {key: pid for key, pid in pids.items() if number is not None and _holds(pid, events)}
    for pid in asked.values():
        with contextlib.suppress(OSError):
            os.kill(pid, number or 0)
    deadline = time.monotonic() + PATIENCE
    return {key: _settled(events.with_name(f"{events.name}.{pid}"), deadline) for key, pid in asked.items()}


def lean(text: str) -> str:
    """``text`` without the frames of the test runner itself."""
    found: list[str] = []
    dropped = False
    for line in text.splitlines():
        if dropped and line.startswith("    "):
            continue  # The source of a frame that is left out.
        dropped = bool(_MACHINERY.search(line))
        if not dropped:
            found.append(line)
    return "\n".join(found)


def line_in(text: str, file: str) -> int | None:
    """The line of the innermost frame in ``file``: first of the stacks of a dump, last of a traceback."""
    frames = [frame for line in text.splitlines() if (frame := _FRAME.match(line))]
    own = [frame for frame in frames if os.path.normpath(frame["file"]) == file]
    return int(own[-1 if own[0]["last"] else 0]["line"]) if own else None


def has_frames(text: str) -> bool:
    """Whether a stack is part of ``text``."""
    return any(map(_FRAME.match, text.splitlines()))


def from_stacks(text: str) -> str:
    """``text`` from the first stack on, with the lines that say whose it is."""
    found = text.splitlines()
    first = next((index for index, line in enumerate(found) if _FRAME.match(line)), 0)
    return "\n".join(found[max(first - 3, 0) :])


def first_in(text: str, folder: str) -> str:
    """``tests/test_a.py:7``: the first frame in ``folder``, which is what most threads are about."""
    for line in text.splitlines():
        frame = _FRAME.match(line)
        if frame and frame["file"].startswith(folder + os.sep) and "site-packages" not in frame["file"]:
            return f"{os.path.relpath(frame['file'], folder)}:{frame['line']}"
    return ""


def awaits(text: str, folder: str) -> bool:
    """Whether these stacks are of an event loop of asyncio that waits, and of nothing in ``folder``.

    What awaits there stands on no stack.
    """
    return bool(re.search(r"[/\\]asyncio[/\\]", text)) and not first_in(text, folder)


def what_stays(text: str, folder: str) -> str:
    """What keeps a process from its exit, by the stacks of its threads; empty where they do not tell."""
    if found := first_in(text, folder):
        return f"a thread that is no daemon still ran at {found}"
    if re.search(r"[/\\]multiprocessing[/\\]", text):
        return "a process that multiprocessing started still ran"
    return (
        "a thread that is no daemon still ran" if "in _shutdown" in text or "in _python_exit" in text else ""
    )


def _holds(pid: int, path: Path) -> bool:
    folder = Path(f"/proc/{pid}/fd")
    try:
        return any(_target(entry) == str(path) for entry in folder.iterdir())
    except OSError:
        return False


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _settled(path: Path, deadline: float) -> str:
    """What stands in ``path`` once it has stopped growing, or at the deadline."""
    before, text = "", ""
    while time.monotonic() < deadline and not (text and text == before):
        before = text
        time.sleep(0.01)
        with contextlib.suppress(OSError):
            text = path.read_text(errors="replace")
    return text

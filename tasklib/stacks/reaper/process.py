"""The reaper's own process: waits for the end of a run, then ends what it left.

It lives in a session of its own, so that neither the terminal nor a kill of the run's process group reaches
it. What it imports before there is something to do is little: it starts beside every run. Where it is killed
too, the next run on this machine does its work by the records (:func:`tasklib.stacks.holding.sweep.sweep`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping

from tasklib.garbage import look_seldom
from tasklib.stacks.reaper.protocol import Left, LeftStack

__all__ = ["main", "read"]

_FORKING = 0.2
"""Seconds from a fork to the new program, at most."""


def main() -> None:
    """Read until the run's end, then remove what is left."""
    look_seldom()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    left = read(socket.socket(fileno=os.dup(0)))
    if not left.alive:
        for pid, started in left.children.items():
            _kill(pid, started)
        _kill_untold(os.environ.get("TASKLIB_REAPER_OF", ""))
        for folder in left.folders:
            _remove(folder)
    # Imported only where it is needed: most runs end by themselves.
    if left.stacks or (left.engine and not left.alive):
        from tasklib.stacks.reaper.removal import remove_left

        remove_left(left)


def read(channel: socket.socket) -> Left:
    """What the run at the other end of ``channel`` has left, once it is done or dead."""
    left = Left()
    for message, descriptors in _messages(channel):
        match message:
            case {"stack": str(project), "labels": dict(labels), "lock": str(path)}:
                lock = descriptors.pop(0) if descriptors else None
                _close(left.stacks.get(project))
                left.stacks[project] = LeftStack(labels, lock, path)
            case {"ready": str(project)} if project in left.stacks:
                left.stacks[project].ready = True
            case {"gone": str(project)}:
                _close(left.stacks.pop(project, None))
            case {"child": int(pid)}:
                left.children[pid] = _start_time(pid)
            case {"ended": int(pid)}:
                left.children.pop(pid, None)
            case {"folder": str(path)}:
                left.folders.add(path)
            case {"removed": str(path)}:
                left.folders.discard(path)
            case {"run": _}:
                for name in ("run", "engine", "state", "command", "pid"):
                    setattr(left, name, message[name])
            case {"ends": _}:
                left.alive = True
                return left
    return left


def _messages(channel: socket.socket) -> Iterator[tuple[Mapping[str, object], list[int]]]:
    """The lines that arrive, and the descriptors that arrived so far and are not taken yet."""
    text, descriptors = b"", list[int]()
    while True:
        try:
            chunk, new, _, _ = socket.recv_fds(channel, 65536, 64)
        except ConnectionResetError:
            return
        descriptors += new
        if not chunk:
            return
        *lines, text = (text + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line), descriptors


def _close(stack: LeftStack | None) -> None:
    if stack and stack.lock is not None:
        os.close(stack.lock)


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _kill_untold(run: str) -> None:
    """Kill what the run had started and could not tell of any more; its environment says whose it is.

    Looked for twice: what was just forked gets its own environment a moment later.
    """
    from pathlib import Path

    mark = f"TASKLIB_CHILD_OF={run}".encode()
    for pause in (0.0, _FORKING) if run else ():
        time.sleep(pause)
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)


def _kill(pid: int, started: str | None) -> None:
    """Kill a group, unless its leader's pid belongs to another process by now.

    A pid is not given away while a group has it as its number: where the leader alone is gone, it is safe.
    """
    now = _start_time(pid)
    if now is None or started is None or now == started:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def _start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; ``None`` where that cannot be known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib is not imported here
            text = file.read()
    except OSError:
        return None
    # The name in parentheses may hold spaces and parentheses.
    return text[text.rindex(b")") + 2 :].split()[19].decode()

"""The run's side of the reaper: a detached process that ends what a run leaves when it dies.

The run holds one end of a socket and says on it which stacks and which processes it has. However the run
dies, the kernel closes its end; what was not taken back by then goes. No timer, no polling, and nothing to
do for a run that ends by itself. :mod:`tasklib.stacks.reaper.process` is the other side.

Lines on the socket, each one JSON object:

* ``{"run": id, "engine": id, "state": folder, "command": typed, "pid": pid}`` before any stack;
* ``{"stack": project, "labels": {…}, "lock": path}``, with the lock's open file: remove it from now on;
* ``{"ready": project}``: the engine has nothing more to do for it;
* ``{"gone": project}``: it is removed, or kept on purpose;
* ``{"child": pid}``, ``{"ended": pid}``: a process group of ours;
* ``{"folder": path}``, ``{"removed": path}``: a scratch folder of ours;
* ``{"ends": true}``: the run ends by itself, with what was not taken back.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import tasklib
from tasklib import process
from tasklib.process.interrupts import BACKGROUND
from tasklib.state.stack_lock import StackLock

__all__ = ["Reaper"]

_LOG_LIMIT = 200_000
"""Bytes after which the log starts anew; what was in it stays in one older file."""

# -P: a module of the folder that the run was started in must not take the place of ours. The path of tasklib
# comes last, for the case that only the run's own sys.path leads to it.
_START = "import sys; sys.path.append(sys.argv[1]); from tasklib.stacks.reaper.process import main; main()"


class Reaper:
    """The run's end of the socket. Safe to use from threads."""

    def __init__(self, log: Path, env: Mapping[str, str] | None = None, *, children: bool = True) -> None:
        """Start the process with the environment ``env`` (ours); ``log`` takes what it says.

        One reaper of a run also ends its ``children``: the processes and folders that it has here.
        """
        self._children = children
        self._lock = threading.Lock()
        self._stacks: set[str] = set()
        self.changed: Callable[[], None] = lambda: None
        """Called when there is another stack that would go, or one less."""
        ours, theirs = socket.socketpair()
        with theirs:
            _rotate(log)
            home = str(Path(tasklib.__file__).resolve().parent.parent)
            self.pid = process.detach(
                [sys.executable, "-P", "-c", _START, home], stdin=theirs.fileno(), log=log, env=env
            )
        self._socket = ours
        BACKGROUND.add(self._names)
        if children:
            process.CHILDREN.listen(self._hear)

    @property
    def stacks(self) -> tuple[str, ...]:
        """The Compose projects that go should this run die now."""
        return tuple(sorted(self._stacks))

    def introduce(self, *, run: str, engine: str, state: Path, command: str, pid: int) -> None:
        """Say whose reaper it is."""
        self._say({"run": run, "engine": engine, "state": str(state), "command": command, "pid": pid})

    def watch(self, project: str, labels: Mapping[str, str], lock: StackLock) -> None:
        """Remove what carries ``labels`` should this run die from now on, and hold ``lock`` until then."""
        self._stacks.add(project)
        message = {"stack": project, "labels": dict(labels), "lock": str(lock.path)}
        self._say(message, lock.fileno())
        self.changed()

    def ready(self, project: str) -> None:
        """Nothing of the stack is still being created."""
        self._say({"ready": project})

    def spare(self, project: str) -> None:
        """The stack is gone, or kept on purpose."""
        self._stacks.discard(project)
        self._say({"gone": project})
        self.changed()

    def close(self) -> None:
        """The run ends by itself; the process ends once it has removed what was not taken back."""
        if self._children:
            process.CHILDREN.listen(None)
        self._say({"ends": True})
        BACKGROUND.discard(self._names)
        with self._lock:
            self._socket.close()

    def _names(self) -> tuple[str, ...]:
        return self.stacks

    def _hear(self, sign: str, held: int | str) -> None:
        if isinstance(held, int):
            self._say({"child" if sign == "+" else "ended": held})
        else:
            self._say({"folder" if sign == "+" else "removed": held})

    def _say(self, message: Mapping[str, object], *descriptors: int) -> None:
        """Never waits, never fails: a reaper that died leaves its work to the next run's sweep."""
        line = (json.dumps(message) + "\n").encode()
        with self._lock, contextlib.suppress(OSError):
            if descriptors:
                socket.send_fds(self._socket, [line], list(descriptors), socket.MSG_DONTWAIT)
            else:
                self._socket.send(line, socket.MSG_DONTWAIT)


def _rotate(log: Path) -> None:
    with contextlib.suppress(OSError):
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_name(f"{log.name}.1"))

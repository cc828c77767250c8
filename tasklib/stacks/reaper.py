"""Removes the stacks of a run that was killed: a detached process that waits for the run's end.

The run holds the writing end of a pipe and says on it which stacks and which processes it has. However the
run dies, the kernel closes its end; what was not taken back by then is removed. No timer, no polling, and
nothing to do for a run that ends by itself.

Lines on the pipe, each one JSON object: ``{"stack": project, "labels": {…}}``, ``{"gone": project}``,
``{"child": pid}``, ``{"ended": pid}``, ``{"done": true}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tasklib import process
from tasklib.errors import TasklibError

__all__ = ["Reaper", "main", "remove_until_gone"]

_PATIENCE = 120.0
"""Seconds for which an engine that does not answer is asked again."""


class Reaper:
    """The run's side of the pipe. Safe to use from threads."""

    def __init__(self, log: Path, record: Path | None = None) -> None:
        """Start the process. ``log`` takes what it says; ``record``, the run's own, goes with the rest."""
        read, self._write = os.pipe()
        self._lock = threading.Lock()
        try:
            argv = [sys.executable, "-m", "tasklib.stacks.reaper", *([str(record)] if record else [])]
            self.pid = process.detach(argv, stdin=read, log=log)
        finally:
            os.close(read)
        process.CHILDREN.listen(lambda sign, pid: self._say({"child" if sign == "+" else "ended": pid}))

    def watch(self, project: str, labels: Mapping[str, str]) -> None:
        """Remove what carries ``labels`` should this run die from now on."""
        self._say({"stack": project, "labels": dict(labels)})

    def spare(self, project: str) -> None:
        """The stack is gone, or kept on purpose."""
        self._say({"gone": project})

    def close(self) -> None:
        """The run ends by itself; nothing is left to do."""
        process.CHILDREN.listen(None)
        self._say({"done": True})
        with self._lock, contextlib.suppress(OSError):
            os.close(self._write)

    def abandon(self) -> None:
        """The run ends with something left: the process goes on with what was not taken back."""
        process.CHILDREN.listen(None)
        with self._lock, contextlib.suppress(OSError):
            os.close(self._write)

    def _say(self, message: Mapping[str, object]) -> None:
        with self._lock, contextlib.suppress(OSError):
            os.write(self._write, (json.dumps(message) + "\n").encode())


def main(argv: Iterable[str] = ()) -> None:
    """The reaper's process: read until the pipe ends, then remove what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stacks: dict[str, Mapping[str, str]] = {}
    children: set[int] = set()
    for line in sys.stdin:
        message = json.loads(line)
        match message:
            case {"stack": project, "labels": labels}:
                stacks[project] = labels
            case {"gone": project}:
                stacks.pop(project, None)
            case {"child": pid}:
                children.add(pid)
            case {"ended": pid}:
                children.discard(pid)
            case {"done": _}:
                return
    for pid in children:
        # The run was told of every end before it died: these lived a moment ago, none is recycled yet.
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    for project, labels in stacks.items():
        sys.stdout.write(f"{time.strftime('%F %T')} the run died: removing {project}\n")
        sys.stdout.flush()
        remove_until_gone(labels)
    for record in argv:
        Path(record).unlink(missing_ok=True)


def remove_until_gone(labels: Mapping[str, str]) -> None:
    """Remove what carries ``labels`` until nothing new appears.

    The engine may still be carrying out what the dead run had asked of it, so two looks in a row, a moment
    apart, must find nothing. An engine that does not answer is asked again for two minutes.
    """
    from tasklib.stacks.engine import Engine

    deadline = time.monotonic() + _PATIENCE
    empty = 0
    while empty < 2 and time.monotonic() < deadline:
        try:
            engine = Engine.connect()
            left = engine.owned(labels)
            engine.remove(left)
            empty = 0 if left else empty + 1
            engine.close()
        except TasklibError:
            empty = 0
        time.sleep(0.4)


if __name__ == "__main__":
    main(sys.argv[1:])

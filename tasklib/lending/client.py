"""The tests' side of a lent stack: asks for it, and gives it back by ending, however that happens.

It starts a process that brings up the stack, holds it and takes it down. In the tests' own process there is
nothing of the engine, no thread and no signal handler, and what tests do to theirs (blocked sockets, frozen
clocks, forks) does not touch the stack. However the tests end, the kernel closes their end of the socket.

Lines on the socket, each one JSON object; towards the lender

* ``{"stack": "auto", "paths": […], "marks": "", "fresh": false, "argv": […]}`` first,
  or ``{"project": name}`` to look only;
* ``{"logs": since}``: the containers' last lines.

and from it

* ``{"begins": title}``, ``{"waits": text}``, ``{"notice": text}`` on the way;
* ``{"ready": {…}}`` (:class:`Lent`), ``{"nothing": true}`` or ``{"error": text, "code": n, "logs": […]}``;
* ``{"logs": […]}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

import tasklib
from tasklib import process
from tasklib.errors import TasklibError
from tasklib.listener import Listener
from tasklib.state.store import default_state

__all__ = ["Lent", "Loan", "NotLent", "borrow", "look"]

# -P: a module of the tests' folder must not take the place of ours.
_START = "import sys; sys.path.append(sys.argv[1]); from tasklib.lending.lender import main; main()"


class Lent(Struct, frozen=True):
    """A stack that is up: its Compose project, what it is called, the tests' variables.

    ``kept`` is whether it was there before and stays; ``seconds`` is what bringing it up took; ``data`` says
    from when its data is ("": it is new, or there is none).
    """

    project: str
    title: str
    variables: Mapping[str, str]
    kept: bool
    seconds: float
    data: str = ""


class NotLent(TasklibError):
    """The stack could not be brought up; ``logs`` are the last lines of the containers at fault."""

    def __init__(self, what: str, code: int, logs: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.code = code
        self.logs = tuple(logs)


class Loan:
    """The tests' end of the socket. ``lent`` is what was asked for, ``None`` where nothing is needed."""

    def __init__(self, request: Mapping[str, object], listener: Listener) -> None:
        """Ask, and wait for the answer; ``listener`` is told what happens meanwhile.

        Raises :class:`NotLent`. Whatever is raised, nothing stays.
        """
        self.lent: Lent | None = None
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._log = default_state().made() / "lender.log"
        ours, theirs = socket.socketpair()
        with theirs:
            home = str(Path(tasklib.__file__).resolve().parent.parent)
            self._lender = process.accompany(
                [sys.executable, "-P", "-c", _START, home], stdin=theirs.fileno(), log=self._log
            )
        self._socket = ours
        _OPEN.add(ours)
        self._lines = ours.makefile("rb")
        try:
            with contextlib.suppress(OSError):  # one that ended already has told why, or its log does
                self._say(request)
            self.lent = self._answer(listener)
        except BaseException:
            self.close()
            raise

    def _answer(self, listener: Listener) -> Lent | None:
        while True:
            match self._read():
                case {"begins": str(title)}:
                    listener.line(title)
                case {"waits": str(text)}:
                    listener.waits(text)
                case {"notice": str(text)}:
                    listener.notice(text)
                case {"ready": dict(found)}:
                    return Lent(**found)
                case {"nothing": _}:
                    return None
                case {"error": str(text), "code": int(code), "logs": list(logs)}:
                    raise NotLent(text, code, logs)
                case _:
                    raise NotLent(
                        f"the process that was to bring up the stack ended early; its log is {self._log}", 70
                    )

    def logs(self, since: float = 0.0) -> tuple[str, ...]:
        """The last lines of every container from ``since`` (seconds since the epoch) on, each after its name.

        Nothing where the stack cannot be asked any more.
        """
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._say({"logs": since})
            match self._read():
                case {"logs": list(lines)}:
                    return tuple(lines)
        return ()

    def close(self) -> None:
        """Give the stack back, and wait until it is gone, unless it was kept."""
        if os.getpid() != self._owner:
            return  # a fork of the tests' process
        _OPEN.discard(self._socket)
        try:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._lender.wait()
        finally:
            self._lines.close()
            self._socket.close()

    def _say(self, message: Mapping[str, object]) -> None:
        self._socket.sendall((json.dumps(message) + "\n").encode())

    def _read(self) -> Mapping[str, Any]:
        """The next message; empty where there is none any more."""
        with contextlib.suppress(OSError):
            if line := self._lines.readline():
                found: Mapping[str, Any] = json.loads(line)
                return found
        return {}


def borrow(stack: str, paths: Sequence[Path], marks: str, listener: Listener, *, fresh: bool = False) -> Loan:
    """The stack for the tests in ``paths`` (absolute); see :mod:`tasklib.lending.choice`. Raises NotLent.

    With ``fresh`` one that was kept gets new stores.
    """
    named = [str(path) for path in paths]
    request = {"stack": stack, "paths": named, "marks": marks, "fresh": fresh, "argv": sys.argv}
    return Loan(request, listener)


def look(project: str, folder: Path) -> Loan:
    """Somebody else's stack ``project`` of the project around ``folder``, for its logs. Raises NotLent."""
    return Loan({"project": project, "paths": [str(folder)], "argv": sys.argv}, Listener())


_OPEN: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def _forked() -> None:
    """A fork that outlives us must not hold on to the stack."""
    for held in _OPEN:
        # Not close(): it leaves the descriptor open for as long as a file made of the socket is.
        os.close(held.detach())


os.register_at_fork(after_in_child=_forked)

"""The only user of :mod:`subprocess`: argument lists, own process groups, deadlines.

Children never read the terminal and never share its process group, so that Ctrl-C reaches tasklib alone
and tasklib decides in which order things end.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import select
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tasklib.errors import Interrupted, TasklibError

__all__ = [
    "CHILDREN",
    "CHILD_OF",
    "REAPER_OF",
    "Cancel",
    "Children",
    "CommandError",
    "Completed",
    "TimedOut",
    "detach",
    "run",
    "scratch_folder",
    "stream",
]

GRACE = 3.0
"""Seconds between TERM and KILL."""

CHILD_OF, REAPER_OF = "TASKLIB_CHILD_OF", "TASKLIB_REAPER_OF"
"""In the environment of children, and of the process that outlives us: which process of ours started them.

A kill may come between the start of a child and the moment that anyone is told of it; its environment tells.
"""

_OURSELVES = secrets.token_hex(8)

_TICK = 0.05
"""Seconds between two looks at a cancellation while a child is silent."""

_BATCH = 0.02
_LITTLE = 4096
"""Seconds of output that are read together, unless more bytes than these come at once."""

_PAUSE = 0.005
"""Seconds between two looks at a child that is about to end."""


@dataclass(frozen=True)
class Completed:
    """What a finished command left: its exit code and both streams."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


class CommandError(TasklibError):
    """A command could not be started or exited with another code than 0."""

    def __init__(self, completed: Completed, *, remedy: str | None = None) -> None:
        tail = (completed.stderr or completed.stdout).strip().splitlines()
        reason = tail[-1] if tail else f"exit code {completed.code}"
        super().__init__(f"`{' '.join(completed.argv[:4])}` failed: {reason}", remedy=remedy)
        self.completed = completed


class TimedOut(TasklibError):
    """A command outlived its deadline and was ended."""

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        super().__init__(f"`{' '.join(list(argv)[:4])}` took more than {seconds:g} s and was ended")
        self.argv = tuple(argv)
        self.seconds = seconds


class Cancel:
    """A request to stop, seen by every command that was handed it.

    One made from a ``parent`` is also set by it, never the other way round.
    """

    def __init__(self, parent: Cancel | None = None) -> None:
        self._event = threading.Event()
        self._parent = parent
        self._reason = "interrupted"

    def set(self, reason: str = "interrupted") -> None:
        if not self._event.is_set():
            self._reason = reason
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set() or (self._parent is not None and self._parent.is_set())

    @property
    def reason(self) -> str:
        return self._reason if self._event.is_set() or self._parent is None else self._parent.reason

    def check(self) -> None:
        """Raise :class:`Interrupted` once the request is there."""
        if self.is_set():
            raise Interrupted(self.reason)


class Children:
    """The process groups and scratch folders that we have now.

    A listener is told of each: the reaper, which outlives us, ends and removes what we cannot.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[int | str] = set()
        self._listener: Callable[[str, int | str], None] | None = None

    def listen(self, listener: Callable[[str, int | str], None] | None) -> None:
        """Hand ``("+"|"-", pid or folder)`` to ``listener`` as they come and go, those of now included."""
        with self._lock:
            self._listener = listener
            if listener:
                for held in self._held:
                    listener("+", held)

    def add(self, held: int | str) -> None:
        with self._lock:
            self._held.add(held)
            if self._listener:
                self._listener("+", held)

    def discard(self, held: int | str) -> None:
        with self._lock:
            self._held.discard(held)
            if self._listener:
                self._listener("-", held)

    def kill(self) -> None:
        """End every live group at once, without grace."""
        with self._lock:
            pids = [held for held in self._held if isinstance(held, int)]
        for pid in pids:
            _signal_group(pid, signal.SIGKILL)


CHILDREN = Children()

SCRATCH = "tasklib-"
"""How the names of scratch folders begin."""


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder for what a child is to leave for us; it goes, whatever ends us."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix=SCRATCH, ignore_cleanup_errors=True) as folder:
        CHILDREN.add(folder)
        try:
            yield Path(folder)
        finally:
            CHILDREN.discard(folder)


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    check: bool = True,
) -> Completed:
    """Run ``argv`` to its end and return its output.

    ``env`` replaces the whole environment; ``stdin`` is fed to the command, which otherwise reads nothing.
    Raises :class:`CommandError` when it cannot start or (with ``check``) exits with another code than 0,
    :class:`TimedOut` after ``timeout`` seconds, :class:`~tasklib.errors.Interrupted` when ``cancel`` is set.
    """
    lines: dict[str, list[str]] = {"stdout": [], "stderr": []}
    code = stream(
        argv,
        on_line=lambda name, line: lines[name].append(line),
        cwd=cwd,
        env=env,
        stdin=stdin,
        timeout=timeout,
        cancel=cancel,
    )
    text = {name: "".join(f"{line}\n" for line in found) for name, found in lines.items()}
    completed = Completed(tuple(argv), code, text["stdout"], text["stderr"])
    if check and code != 0:
        raise CommandError(completed)
    return completed


def stream(
    argv: Sequence[str],
    *,
    on_line: Callable[[str, str], None],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    pass_fds: Sequence[int] = (),
    on_tick: Callable[[], None] | None = None,
    on_timeout: Callable[[], None] | None = None,
) -> int:
    """Run ``argv``, hand every line to ``on_line(stream_name, line)`` as it comes, return the exit code.

    ``on_tick`` is called every few hundredths of a second while the command lives, for what it reports
    by another way than its streams; ``on_timeout`` when its time is up, before it is ended.
    Raises as :func:`run` does, except that any exit code is a result here.
    """
    if cancel:
        cancel.check()
    with _spawn(argv, cwd, env, stdin, pass_fds) as child:
        feeder = _feed(child, stdin)
        for name, line in _lines(child, timeout, cancel, on_tick, on_timeout):
            on_line(name, line)
        if feeder:
            feeder.join(GRACE)
    return int(child.returncode)


@contextlib.contextmanager
def _spawn(
    argv: Sequence[str],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    stdin: str | None,
    pass_fds: Sequence[int],
) -> Iterator[subprocess.Popen[bytes]]:
    try:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env={**(os.environ if env is None else env), CHILD_OF: _OURSELVES},
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            pass_fds=tuple(pass_fds),
        )
    except OSError as error:
        # A missing folder and a missing program raise the same error: name whichever it was.
        missing = str(error.filename or argv[0])
        failed = Completed(tuple(argv), 127, "", f"{missing}: {error.strerror}")
        raise CommandError(failed) from error
    CHILDREN.add(child.pid)
    try:
        yield child
    finally:
        _end(child)
        # Reaped only now: as long as it is listed, its number is nobody else's.
        CHILDREN.discard(child.pid)
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


def detach(argv: Sequence[str], *, stdin: int, log: Path) -> int:
    """Start ``argv`` in a session of its own, reading the file descriptor ``stdin``; returns its pid.

    It outlives us, our terminal and a kill of our process group. ``log`` takes its output.
    """
    with log.open("ab") as output:
        env = {name: value for name, value in os.environ.items() if name != CHILD_OF}
        child = subprocess.Popen(
            list(argv),
            env={**env, REAPER_OF: _OURSELVES},
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    # Should it end before us, somebody has to take note, or it stays as a zombie.
    threading.Thread(target=child.wait, daemon=True, name=f"wait for {child.pid}").start()
    return child.pid


def _feed(child: subprocess.Popen[bytes], text: str | None) -> threading.Thread | None:
    """Write stdin from a thread: a config larger than the pipe must not wait for output nobody reads yet."""
    if text is None or child.stdin is None:
        return None
    pipe = child.stdin

    def write() -> None:
        with contextlib.suppress(OSError, ValueError), pipe:
            pipe.write(text.encode())

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def _lines(
    child: subprocess.Popen[bytes],
    timeout: float | None,
    cancel: Cancel | None,
    on_tick: Callable[[], None] | None,
    on_timeout: Callable[[], None] | None,
) -> Iterator[tuple[str, str]]:
    """Lines of both streams in the order they come, until both end and the child has exited.

    A grandchild that keeps the pipes open after the child's exit is not waited for.
    """
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    tick = 0.0

    def check() -> None:
        nonlocal tick
        if cancel:
            cancel.check()
        now = time.monotonic()
        if on_tick and now >= tick:
            tick = now + _TICK
            on_tick()
        if timeout is not None and now > deadline:
            if on_timeout:
                on_timeout()
            raise TimedOut(cast("list[str]", child.args), timeout)

    with selectors.DefaultSelector() as selector, _until_exit(child) as pause:
        rest = {"stdout": b"", "stderr": b""}
        for name, pipe in (("stdout", child.stdout), ("stderr", child.stderr)):
            if pipe:
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, name)
        exited = False
        while selector.get_map():
            ready = selector.select(_TICK)
            check()
            size = 0
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                size += len(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                *whole, rest[key.data] = (rest[key.data] + chunk).split(b"\n")
                for line in whole:
                    yield key.data, line.decode(errors="replace").rstrip("\r")
            if not ready and exited:
                break
            exited = _has_exited(child)
            if 0 < size < _LITTLE and not exited:
                # One that writes thousands of short lines must not wake us for each of them.
                pause()
        for name, tail in rest.items():
            if tail:
                yield name, tail.decode(errors="replace")
    while not _has_exited(child):
        check()
        time.sleep(_PAUSE)


@contextlib.contextmanager
def _until_exit(child: subprocess.Popen[bytes]) -> Iterator[Callable[[], object]]:
    """A pause of ``_BATCH`` seconds that the child's exit cuts short, where the system can tell."""
    try:
        descriptor = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        yield lambda: time.sleep(_PAUSE)
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        yield lambda: poll.poll(_BATCH * 1000)
    finally:
        os.close(descriptor)


def _end(child: subprocess.Popen[bytes]) -> None:
    """TERM the child's group, KILL what is left of it after the grace period."""
    if not _has_exited(child):
        _signal_group(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while not _has_exited(child) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
    _signal_group(child.pid, signal.SIGKILL)


def _has_exited(child: subprocess.Popen[bytes]) -> bool:
    """Whether the child has ended. It is not reaped here: its pid and group stay its own until it is."""
    if child.returncode is None and hasattr(os, "waitid"):
        with contextlib.suppress(ChildProcessError):
            return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return child.poll() is not None


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)

"""Starting commands, and what they come to."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from tasklib.process import ending, reading
from tasklib.process.cancel import Cancel
from tasklib.process.children import CHILDREN
from tasklib.process.completed import CommandError, Completed

__all__ = [
    "CHILD_OF",
    "REAPER_OF",
    "Companion",
    "accompany",
    "detach",
    "run",
    "stream",
]

CHILD_OF, REAPER_OF = "TASKLIB_CHILD_OF", "TASKLIB_REAPER_OF"
"""In the environment of children, and of the process that outlives us: which process of ours started them.

A kill may come between the start of a child and the moment that anyone is told of it; its environment tells.
"""

_OURSELVES = secrets.token_hex(8)


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
) -> int:
    """Run ``argv``, hand every line to ``on_line(stream_name, line)`` as it comes, return the exit code.

    ``on_tick`` is called every few hundredths of a second while the command lives, for what it reports
    by another way than its streams; what it raises ends the command.
    Raises as :func:`run` does, except that any exit code is a result here.
    """
    if cancel:
        cancel.check()
    with _spawn(argv, cwd, env, stdin, pass_fds) as child:
        feeder = _feed(child, stdin)
        for name, line in reading.lines(child, timeout, cancel, on_tick):
            on_line(name, line)
        if feeder:
            feeder.join(ending.GRACE)
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
        why = _no_interpreter((cwd or Path()) / missing) if isinstance(error, FileNotFoundError) else ""
        failed = Completed(tuple(argv), 127, "", f"{missing}: {why or error.strerror}")
        raise CommandError(failed) from error
    except ValueError as error:  # A NUL among the words or variables, which no program can be given.
        raise CommandError(Completed(tuple(argv), 127, "", f"{argv[0]}: {error}")) from error
    CHILDREN.add(child.pid)
    try:
        yield child
    finally:
        ending.end(child)
        # Reaped only now: as long as it is listed, its number is nobody else's.
        CHILDREN.discard(child.pid)
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


def _no_interpreter(path: Path) -> str:
    """What is wrong with a script that is there: the program that its first line names is not."""
    try:
        with path.open("rb") as file:
            first = file.readline(1000).decode(errors="replace")
    except OSError:
        return ""
    words = first.removeprefix("#!").split() or [""]
    ending = " and a carriage return" if first.endswith("\r\n") else ""
    return f"its first line names {words[0]!r}{ending}, which is no program" if first[:2] == "#!" else ""


def detach(argv: Sequence[str], *, stdin: int, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Start ``argv`` in a session of its own, reading the file descriptor ``stdin``; returns its pid.

    It outlives us, our terminal and a kill of our process group. ``log`` takes its output, ``env`` is its
    environment (ours).
    """
    child = _detached(argv, stdin, log, env)
    # Should it end before us, somebody has to take note, or it stays as a zombie.
    threading.Thread(target=child.wait, daemon=True, name=f"wait for {child.pid}").start()
    return child.pid


class Companion(Protocol):
    """A process that :func:`accompany` started; safe to end while a thread waits for it."""

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        ...

    def terminate(self) -> None:
        """Ask it to end; one that has ended is left alone."""
        ...


def accompany(argv: Sequence[str], *, stdin: int, log: Path) -> Companion:
    """As :func:`detach`, but without a thread of ours: whoever starts it waits for its end."""
    return _detached(argv, stdin, log, None)


def _detached(
    argv: Sequence[str], stdin: int, log: Path, env: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    env = os.environ if env is None else env
    with _opened(log) as output:
        return subprocess.Popen(
            list(argv),
            env={**{name: value for name, value in env.items() if name != CHILD_OF}, REAPER_OF: _OURSELVES},
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _opened(log: Path) -> IO[bytes]:
    try:
        return log.open("ab")
    except OSError:
        return Path(os.devnull).open("ab")  # It is there to clean up, whether anybody hears of it or not.


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

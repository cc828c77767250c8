"""The only user of subprocess: quick queries, and long commands whose output goes to a log file."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dev.errors import CommandFailed, DevError

__all__ = [
    "Answer",
    "attached",
    "last_lines",
    "query",
    "run_logged",
    "spawn",
    "started",
    "step",
    "stop",
    "stop_all",
]

_STOPPING = ((signal.SIGINT, 5.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, None))
"""Signals and the seconds given after each: a bootstrap first unmounts and removes its folder."""

_QUOTED = re.compile(r"\s*\d+ \| |[\s-]*$")
_running: set[subprocess.Popen[bytes]] = set()
_guard = threading.Lock()
_stopping = threading.Event()


@dataclass(frozen=True)
class Answer:
    """What a quick query returned; `code` is 127 when the program is not there, 124 when it took too long."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0


def query(argv: Sequence[str], *, timeout: float = 20.0) -> Answer:
    """Run `argv` for its short output. Never raises for what the command does."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return Answer(124, err=f"no answer within {timeout:.0f} s")
    except OSError as error:
        return Answer(127, err=str(error))
    return Answer(done.returncode, done.stdout.strip(), done.stderr.strip())


def spawn(argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start `argv` in a session of its own, its output appended to `log`, its folder `/`; a terminal's Ctrl-C
    and hang-up do not reach it."""
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=env,
            start_new_session=True,
        )


@contextmanager
def started(
    argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`spawn`, for as long as the body lasts: what still runs at its end, or at `stop_all`, is stopped.

    Raises CommandFailed when `argv` cannot be started, or everything is being stopped.
    """
    with _guard:
        if _stopping.is_set():
            raise CommandFailed(tuple(argv), 130, log, ("not started: interrupted",))
        try:
            process = spawn(argv, log, env=env)
        except OSError as error:
            raise CommandFailed(tuple(argv), 127, log, (str(error),)) from error
        _running.add(process)
    try:
        yield process
    finally:
        if process.poll() is None:
            stop(process)
        with _guard:
            _running.discard(process)


def run_logged(
    argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None, finish: bool = False
) -> None:
    """Run `argv` to its end, its output appended to `log`.

    An interrupt stops the command first, or, with `finish`, lets it end: a package manager stopped half-way
    leaves the machine worse than it was. Raises CommandFailed for any exit code but 0.
    """
    with started(argv, log, env=env) as process:
        code = _wait_to_the_end(process) if finish else process.wait()
    if code != 0:
        raise CommandFailed(tuple(argv), code, log, last_lines(log))


def attached(argv: Sequence[str], folder: Path, env: Mapping[str, str]) -> int:
    """Run `argv` on this process's own terminal; its exit code. An interrupt ends it before it is raised.

    Raises DevError when it cannot be started.
    """
    sys.stdout.flush()
    try:
        process = subprocess.Popen(argv, cwd=folder, env=env)
    except OSError as error:
        raise DevError(f"{argv[0]} cannot be run in {folder}: {error.strerror}.") from error
    try:
        return process.wait()
    except BaseException:
        # A signal that was sent to us alone has not reached it.
        process.terminate()
        process.wait()
        raise


def _wait_to_the_end(process: subprocess.Popen[bytes]) -> int:
    interrupt: KeyboardInterrupt | None = None
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt as error:
            if interrupt is None:
                print(
                    "(interrupted; letting the package manager finish) ", end="", file=sys.stderr, flush=True
                )
            interrupt = error
            continue
        if interrupt is not None:
            raise interrupt
        return code


def stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the process group, then terminate and at last kill what is still there."""
    for sent, grace in _STOPPING:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
            return


def stop_all() -> None:
    """Stop what other threads started with `started` or `run_logged`; they start nothing more."""
    with _guard:
        _stopping.set()
        processes = tuple(_running)
    for process in processes:
        stop(process)


def last_lines(log: Path, count: int = 12) -> tuple[str, ...]:
    """The last `count` lines of `log` that say something: blank ones and a Dockerfile quoted by `docker
    build`, which would hide the failed command's own words, are left out."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    lines = (line.rstrip()[:200] for line in text.splitlines() if line.strip() and not _QUOTED.match(line))
    return tuple(deque(lines, maxlen=count))


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print what is being done, then the seconds it took, on standard error: results go to the other one."""
    print(f"dev: {title} ... ", end="", file=sys.stderr, flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException as error:
        outcome = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        print(f"{outcome} after {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
        raise
    print(f"{time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)

"""Places: how much a user's runs do at once on one machine, whatever the number of runs.

A place is held while something works: a stack starts, tests run. It is a file that the kernel unlocks when
its holder dies. Runs are served in the order in which they began, so that the first is done about as soon as
if it were alone, and none waits for ever; a holder or waiter that is stopped (SIGSTOP) holds nobody up.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasklib import process
from tasklib.files.full import is_full
from tasklib.files.lock import sign, signature
from tasklib.files.usable import usable
from tasklib.flock import open_lock, try_lock, wait_for_lock

__all__ = ["Busy", "Places", "Turn"]

_LOOK = 0.05
"""Seconds between two looks while waiting."""

_SILENT = 2.0
"""Seconds after which a waiter that did not look again is passed over: most likely it is stopped."""


@dataclass(frozen=True, order=True)
class Turn:
    """Whose turn it is: ``began`` (seconds since the epoch) orders runs, the rest says which run it is."""

    began: float
    run: str
    command: str = ""
    pid: int = 0

    def __str__(self) -> str:
        return f"`{self.command}` (pid {self.pid})" if self.command else "another run"


@dataclass(frozen=True)
class Busy:
    """Why a place is not to be had yet: who holds them, and how many wait before us."""

    holders: tuple[Turn, ...]
    ahead: int
    me: Turn

    @property
    def others(self) -> bool:
        """Whether another run has any of them."""
        return any(holder.run != self.me.run for holder in self.holders)

    def __str__(self) -> str:
        first = min(self.holders) if self.holders else None
        since = f", running since {time.strftime('%H:%M:%S', time.localtime(first.began))}" if first else ""
        more = f"; {self.ahead} more wait before this one" if self.ahead else ""
        return f"waiting for {first or 'another run'}{since}{more}"


class Places:
    """``number`` places in ``folder``, which every run that shares them names. Safe to use from threads."""

    def __init__(self, folder: Path, number: int, turn: Turn) -> None:
        self._folder = folder
        self._number = number
        self.turn = turn
        self._asked = itertools.count(1)

    @contextlib.contextmanager
    def place(
        self, cancel: process.Cancel, on_wait: Callable[[Busy], None] = lambda busy: None
    ) -> Iterator[None]:
        """Hold a place; ``on_wait`` is told once why there is none, where there is none at once.

        Raises :class:`~tasklib.errors.Interrupted` when ``cancel`` is set meanwhile, and
        :class:`~tasklib.errors.ConfigError` where the folder cannot be used.
        """
        with usable(self._folder, "the machine's places cannot be counted"):
            try:
                held = self._wait(cancel, on_wait)
            except OSError as error:
                if not is_full(error):
                    raise
                held = os.open(os.devnull, os.O_RDONLY)  # Nobody can be counted: rather too many than none.
        try:
            yield
        finally:
            os.close(held)

    def _wait(self, cancel: process.Cancel, on_wait: Callable[[Busy], None]) -> int:
        with self._waiting() as mine:
            told = False
            while True:
                found = self._try(mine)
                if isinstance(found, int):
                    return found
                if not told:
                    told = True
                    on_wait(found)
                cancel.check()
                time.sleep(_LOOK)
                os.utime(mine)

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[Path]:
        """A locked file that says we wait; its name sorts by turn."""
        folder = self._folder / "waiting"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{self.turn.began:020.6f}-{self.turn.run}-{os.getpid()}-{next(self._asked):06d}"
        path = folder / name
        with self._decision():
            # Until it is locked, whoever decides takes it for a dead one's.
            descriptor = open_lock(path)
            try_lock(descriptor)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def _try(self, mine: Path) -> int | Busy:
        """A place's open file; or why there is none."""
        with self._decision():
            ahead = sum(1 for path in sorted(mine.parent.iterdir()) if path.name < mine.name and _waits(path))
            free: list[int] = []
            holders: list[Turn] = []
            number = 0
            # A holder that is stopped keeps its place and takes none from the others.
            limit = self._number
            while number < limit:
                found = self._slot(number)
                if isinstance(found, int):
                    free.append(found)
                else:
                    holders.append(found)
                    limit += _is_stopped(found.pid)
                number += 1
            taken = free.pop() if len(free) > ahead else None
            for descriptor in free:
                os.close(descriptor)
            if taken is None:
                return Busy(tuple(holders), ahead, self.turn)
            sign(taken, self.turn)
            return taken

    def _slot(self, number: int) -> int | Turn:
        """The open and locked file of a place; or who holds it."""
        path = self._folder / f"place-{number}"
        descriptor = open_lock(path)
        if try_lock(descriptor):
            return descriptor
        try:
            return Turn(**signature(descriptor))
        except (ValueError, TypeError):
            return Turn(0.0, "")
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _decision(self) -> Iterator[None]:
        """One look at a time, so that no two take the free places of each other for granted."""
        descriptor = open_lock(self._folder / "decision")
        try:
            wait_for_lock(descriptor)
            yield
        finally:
            os.close(descriptor)


def _waits(path: Path) -> bool:
    """Whether whoever made this file still waits; a dead one's file is removed."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        if try_lock(descriptor):
            path.unlink(missing_ok=True)
            return False
        return time.time() - os.fstat(descriptor).st_mtime < _SILENT
    finally:
        os.close(descriptor)


def _is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal; ``False`` where that cannot be known."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return text[text.rindex(b")") + 2 :][:1] in (b"T", b"t")

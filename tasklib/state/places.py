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
from pathlib import Path

from msgspec import Struct

from tasklib import process
from tasklib.files.full import is_full
from tasklib.files.lock import sign, signature
from tasklib.files.usable import usable
from tasklib.flock import open_lock, try_lock

__all__ = ["Busy", "Places", "Turn"]

_LOOK = 0.05
"""Seconds between two looks of whoever is served next."""

_SELDOM = 1.0
"""The same of whoever has many before it, or is in no hurry: to look often would be work itself."""

_DECISION = 1.0
"""Seconds after which whoever decides is taken for stopped: it is a matter of milliseconds."""

_SILENT = 3.0
"""Seconds after which a waiter that did not look again is passed over: most likely it is stopped."""

_STILL = 10.0
"""Seconds that everybody has had a place when it is no use to wait for one of them to be free soon."""

_ASKED = itertools.count(1)
"""Tells apart those of a process that wait, also where several objects stand for the same places."""


class Turn(Struct, frozen=True, order=True):
    """Whose turn it is: ``began`` (seconds since the epoch) orders runs, the rest says which run it is."""

    began: float
    run: str
    command: str = ""
    pid: int = 0

    def __str__(self) -> str:
        return f"`{self.command}` (pid {self.pid})" if self.command else "another run"


class Busy(Struct, frozen=True):
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


class _Held(Struct, frozen=True):
    """A place that somebody has, ``since`` when (seconds since the epoch)."""

    by: Turn
    since: float


class Places:
    """``number`` places in ``folder``, which every run that shares them names. Safe to use from threads.

    Runs fill ``shared`` of them (``None``: all); the rest is for the one of them that began first, and for
    whoever is next while nobody's work ends for some time.
    """

    def __init__(self, folder: Path, number: int, turn: Turn, shared: int | None = None) -> None:
        self._folder = folder
        self._number = number
        self._shared = number if shared is None else shared
        self.turn = turn

    @contextlib.contextmanager
    def place(
        self, cancel: process.Cancel, on_wait: Callable[[Busy], None] = lambda busy: None, number: int = 1
    ) -> Iterator[None]:
        """Hold ``number`` places, all that there are at most; they are had together or not at all.

        ``on_wait`` is told once why there are none, where there are none at once.

        Raises :class:`~tasklib.errors.Interrupted` when ``cancel`` is set meanwhile, and
        :class:`~tasklib.errors.ConfigError` where the folder cannot be used.
        """
        with usable(self._folder, "the machine's places cannot be counted"):
            try:
                held = self._wait(cancel, on_wait, max(1, min(number, self._number)))
            except OSError as error:
                if not is_full(error):
                    raise
                held = ()  # Nobody can be counted: rather too many than none.
        try:
            yield
        finally:
            for descriptor in held:
                os.close(descriptor)

    def _wait(self, cancel: process.Cancel, on_wait: Callable[[Busy], None], number: int) -> tuple[int, ...]:
        with self._waiting(number) as mine:
            told = False
            while True:
                found = self._try(mine, number)
                if not isinstance(found, Busy):
                    return found
                if not told:
                    told = True
                    on_wait(found)
                cancel.wait(min(_SELDOM, _LOOK * (1 + found.ahead)))
                os.utime(mine)

    def leisure(self, cancel: process.Cancel) -> None:
        """Wait until earlier runs leave a place: only then is there time for what nobody waits for.

        Nothing is held by that. Raises as :meth:`place` does.
        """
        cancel.check()
        while not self._is_at_leisure():
            cancel.wait(_SELDOM / 2)

    def _is_at_leisure(self) -> bool:
        """Whether earlier runs leave a place now."""
        with usable(self._folder, "the machine's places cannot be counted"):
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                return self._taken_by_earlier() < self._shared
            except OSError as error:
                if not is_full(error):
                    raise
                return True

    def _taken_by_earlier(self) -> int:
        """How many places runs before this one have or wait for, those of stopped ones apart."""
        with self._decision():
            ahead = (path for path in self._queue() if path.name < self._name and _waits(path))
            with self._slots() as (_, held):
                return sum(map(self._is_earlier, held)) + sum(map(_number_of, ahead))

    @property
    def _name(self) -> str:
        """How the names of all files of this run begin that wait."""
        return f"{self.turn.began:020.6f}-{self.turn.run}-"

    def _is_earlier(self, held: _Held) -> bool:
        """Whether a place is held by a run before this one, which is not stopped."""
        return held.by < self.turn and held.by.run != self.turn.run and not _is_stopped(held.by.pid)

    def _queue(self) -> list[Path]:
        """The files of those who wait, by turn."""
        try:
            return sorted((self._folder / "waiting").iterdir())
        except FileNotFoundError:
            return []

    @contextlib.contextmanager
    def _waiting(self, number: int) -> Iterator[Path]:
        """A locked file that says for how many we wait; its name sorts by turn."""
        folder = self._folder / "waiting"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{self._name}{os.getpid()}-{next(_ASKED):06d}.{number}"
        path = folder / name
        # It comes among the others locked: until it is, whoever decides takes it for a dead one's.
        before = self._folder / name
        descriptor = open_lock(before)
        try:
            try_lock(descriptor)
            before.rename(path)
            yield path
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def _try(self, mine: Path, number: int) -> tuple[int, ...] | Busy:
        """The open files of places; or why there are not so many."""
        with self._decision(), self._slots() as (free, held):
            ahead = [path for path in self._queue() if path.name < mine.name and _waits(path)]
            kept_free = 0 if self._may_fill(held, ahead) else self._number - self._shared
            if len(free) < sum(map(_number_of, ahead)) + number + kept_free:
                return Busy(tuple(place.by for place in held), len(ahead), self.turn)
            for descriptor in free[:number]:
                sign(descriptor, self.turn)
            taken = tuple(free[:number])
            del free[:number]
            return taken

    def _may_fill(self, held: list[_Held], ahead: list[Path]) -> bool:
        """Whether this run may have the last places, too: no other is before it, or all of them work on."""
        is_first = not any(map(self._is_earlier, held)) and all(p.name.startswith(self._name) for p in ahead)
        return is_first or all(time.time() - place.since > _STILL for place in held)

    @contextlib.contextmanager
    def _slots(self) -> Iterator[tuple[list[int], list[_Held]]]:
        """The open and locked files of the free places, and who holds the others.

        Those that are not taken out are free again afterwards, whatever went wrong.
        """
        free: list[int] = []
        held: list[_Held] = []
        looked_at = 0
        # A holder that is stopped keeps its place and takes none from the others.
        limit = self._number
        try:
            while looked_at < limit:
                found = self._slot(looked_at)
                if isinstance(found, int):
                    free.append(found)
                else:
                    held.append(found)
                    limit += _is_stopped(found.by.pid)
                looked_at += 1
            yield free, held
        finally:
            for descriptor in free:
                os.close(descriptor)

    def _slot(self, number: int) -> int | _Held:
        """The open and locked file of a place; or who holds it."""
        path = self._folder / f"place-{number}"
        descriptor = open_lock(path)
        if try_lock(descriptor):
            return descriptor
        since = os.fstat(descriptor).st_mtime
        try:
            return _Held(Turn(**signature(descriptor)), since)
        except (ValueError, TypeError):
            return _Held(Turn(0.0, ""), since)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _decision(self) -> Iterator[None]:
        """One look at a time, so that no two take the free places of each other for granted.

        Whoever is stopped in the middle of one holds nobody up: each place has a lock of its own, too.
        """
        descriptor = open_lock(self._folder / "decision")
        try:
            until = time.monotonic() + _DECISION
            while not try_lock(descriptor) and time.monotonic() < until:
                time.sleep(_LOOK / 10)
            yield
        finally:
            os.close(descriptor)


def _number_of(path: Path) -> int:
    """How many places this file waits for; one, where an earlier version made it."""
    number = path.suffix[1:]
    return int(number) if number.isdigit() else 1


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

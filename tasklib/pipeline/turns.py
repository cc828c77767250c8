"""Whose turn it is on a machine with many runs: stacks that start and tests that run take places.

Work that somebody waits for takes one; what is only made ready ahead does not, and begins where earlier runs
leave one. Where there is memory enough a run alone never waits, as there are as many places as it has work at
once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tasklib import process
from tasklib.errors import Interrupted, UsageError
from tasklib.events import Event, Notice, Progress
from tasklib.results import Target
from tasklib.stacks.engine.values import EngineFacts
from tasklib.stacks.placing import places_of, shared_places_of
from tasklib.state.liveness import host_id
from tasklib.state.places import Busy, Places, Turn
from tasklib.state.store import State

__all__ = ["PLACES", "Turns", "known_memory", "number_of_places", "places_for"]

PLACES = "TASKLIB_PLACES"
"""The variable that says how many places the machine has."""


class Turns:
    """The turns of one run; without ``places`` it is always its turn. Safe to use from threads."""

    def __init__(
        self,
        places: Places | None,
        emit: Callable[[Event], None],
        cancel: process.Cancel,
        room: int = 0,
    ) -> None:
        """``room`` is how many bytes of memory a place stands for; 0: not known."""
        self._places = places
        self._room = room
        self._emit = emit
        self._cancel = cancel
        self._told = threading.Event()
        self._one_looks = threading.Lock()

    @classmethod
    def of_run(
        cls,
        state: State,
        turn: Turn,
        emit: Callable[[Event], None],
        cancel: process.Cancel,
        env: Mapping[str, str],
        *,
        nested: bool,
    ) -> Turns:
        """Those of the run ``turn``; one that a test of another run started (``nested``) has that one's.

        They are turns on this machine; for those on an engine see :meth:`on`.
        Raises :class:`~tasklib.errors.UsageError` for a number of places that is none.
        """
        number, said = _places(state, env)
        folder = state.root / State.name("places", host_id())
        shared = number if said else shared_places_of(os.cpu_count() or 1, number)
        places = None if nested else Places(folder, number, turn, shared)
        return cls(places, emit, cancel, _memory() // number)

    def on(self, engine: EngineFacts, state: State) -> Turns:
        """The same run's on an engine that is apart: by the processors and memory over there."""
        if not engine.apart or self._places is None:
            return self
        folder = state.root / State.name("places", engine.id)
        number = places_of(engine.cpus, engine.memory)
        places = Places(folder, number, self._places.turn, shared_places_of(engine.cpus, number))
        return Turns(places, self._emit, self._cancel, engine.memory // number)

    @contextmanager
    def turn(self, target: Target, memory: int = 0) -> Iterator[None]:
        """Hold a place for work of ``target``; waits for it, and says for whom, once a run.

        Where its containers are known to take more ``memory`` (bytes) than a place stands for, it is several.

        Raises :class:`~tasklib.errors.Interrupted` when the run is to end meanwhile.
        """
        if self._places is None:
            yield
            return

        def waits(busy: Busy) -> None:
            self._emit(Progress(target, str(busy)))
            if busy.others and not self._told.is_set():
                self._told.set()
                self._emit(Notice(str(busy), "info"))

        with self._places.place(self._cancel, waits, places_for(memory, self._room)):
            yield

    def leisure(self, cancel: process.Cancel) -> bool:
        """Wait for the time for work that nobody waits for yet; ``False`` where ``cancel`` was set meanwhile.

        Runs that began earlier come first: what is made ready ahead must not take from what they do now.
        """
        try:
            if self._places is not None:
                with self._one_looks:
                    self._places.leisure(cancel)
            cancel.check()
        except Interrupted:
            return False
        return True


def number_of_places(state: State, env: Mapping[str, str]) -> int:
    """As TASKLIB_PLACES says, or ``places.txt`` in the state folder, or by the machine's processors."""
    return _places(state, env)[0]


def _places(state: State, env: Mapping[str, str]) -> tuple[int, bool]:
    """How many places there are, and whether somebody says so."""
    where, given = _places_said(state, env)
    if not given:
        return places_of(os.cpu_count() or 1, _memory()), False
    if not given.isascii() or not given.isdigit() or int(given) < 1:
        raise UsageError(f"{where} takes a number of at least 1, not {given!r}")
    return int(given), True


def _places_said(state: State, env: Mapping[str, str]) -> tuple[str, str]:
    """Where somebody says how many places there are, and what; nothing where nobody does."""
    if given := env.get(PLACES, ""):
        return PLACES, given
    where = state.root / "places.txt"
    try:
        return str(where), where.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return str(where), ""


def places_for(memory: int, room: int) -> int:
    """PURE: how many places work takes whose containers may take ``memory``; a place is ``room`` bytes.

    >>> places_for(0, 1 << 30), places_for(1 << 30, 1 << 30), places_for(5 << 29, 1 << 30), places_for(9, 0)
    (1, 1, 3, 1)
    """
    return max(1, -(-memory // room)) if room else 1


def known_memory(config: Mapping[str, Any]) -> int:
    """PURE: bytes that the containers of a rendered config may take by their own limits; 0: none has any."""
    found = 0
    for service in config["services"].values():
        deploy = service.get("deploy") or {}
        limits = (deploy.get("resources") or {}).get("limits") or {}
        limit = str(limits.get("memory") or service.get("mem_limit") or "")
        replicas = service.get("scale", deploy.get("replicas", 1))
        # Rendered, it is bytes; what is anything else nobody knows.
        found += int(limit) * int(replicas) if limit.isascii() and limit.isdigit() else 0
    return found


def _memory() -> int:
    """What this machine has, in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0

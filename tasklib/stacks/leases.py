"""Runs that nobody else can judge: while they live they renew a lease, which stands on the engine itself.

Processes and locks are one machine's, and of one container on it. So a run whose engine is not simply here
has an empty volume there, which says what would have to go without it. Its age is taken by the engine's own
clock: one that is too old is nobody's any more. Whoever comes next removes what it names, and that alone.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection

from msgspec import Struct

from tasklib.errors import TasklibError
from tasklib.instance.claim import Mark
from tasklib.stacks.arbiter import EngineArbiter
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import PROJECT_LABEL, Resource
from tasklib.stacks.labels import CHECKOUT, HOST

__all__ = ["SECONDS", "Lease", "end_leases", "leased", "sweep_leases"]

SECONDS = 120.0
"""How long a lease lasts that is not renewed."""

_RENEWAL = SECONDS / 4

_RUN = "io.tasklib.lease"
_CHECKOUT = "io.tasklib.lease.checkout"
_HOST = "io.tasklib.lease.host"
_CLAIMED = "io.tasklib.lease.claimed"
_STACKS = "io.tasklib.lease.stacks"


class _Holder(Struct, frozen=True):
    run: str
    checkout: str
    host: str


class Lease:
    """A run's lease, renewed by a thread until it is closed. Safe to use from threads."""

    def __init__(
        self, engine: Engine, run: str, checkout: str, host: str, stacks: Callable[[], Collection[str]]
    ) -> None:
        """``stacks()`` are the Compose projects that go with the run; ``host`` is the checkout's owner."""
        self._engine = engine
        self._holder = _Holder(run, checkout, host)
        self._stacks = stacks
        self._claimed = ""
        self._number = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.renew()
        threading.Thread(target=self._follow, daemon=True, name=f"lease of {run}").start()

    def claim(self, project: str) -> None:
        """The run has claimed ``project``: its mark goes with the rest."""
        self._claimed = project
        self.renew()

    def renew(self) -> None:
        """Have it last from now, for what the run has now. An engine that is silent is asked again later."""
        with self._lock, contextlib.suppress(TasklibError):
            if self._over.is_set():
                return
            name = f"tasklib.lease.{self._holder.run}."
            labels = {
                _RUN: self._holder.run,
                _CHECKOUT: self._holder.checkout,
                _HOST: self._holder.host,
                _CLAIMED: self._claimed,
                _STACKS: " ".join(self._stacks()),
            }
            self._engine.named_volume(f"{name}{self._number + 1}", labels)
            self._number += 1
            before = f"{name}{self._number - 1}"
            self._engine.remove([Resource("volume", before, before, {})])

    def close(self) -> None:
        """The run has ended; where something of it is left, the lease is left to end by itself."""
        with self._lock, contextlib.suppress(TasklibError):
            self._over.set()
            if not self._stacks():
                end_leases(self._engine, self._holder.run)

    def _follow(self) -> None:
        while not self._over.wait(_RENEWAL):
            self.renew()


def leased(engine: Engine) -> frozenset[str]:
    """The checkouts that have runs which are to be taken for living."""
    return frozenset(
        volume.labels.get(_CHECKOUT, "") for volume, age in engine.volume_ages(_RUN) if age < SECONDS
    )


def end_leases(engine: Engine, run: str) -> None:
    """Nothing of ``run`` is left."""
    engine.remove(engine.owned({_RUN: run}, kinds=["volume"]))


def sweep_leases(engine: Engine) -> tuple[str, ...]:
    """Remove what runs had whose lease has run out; returns the Compose projects removed.

    Kept stacks, and what another run of that checkout has by now, stay.
    """
    found = engine.volume_ages(_RUN)
    living = {
        (volume.labels.get(_CHECKOUT), project)
        for volume, age in found
        if age < SECONDS
        for project in volume.labels.get(_STACKS, "").split()
    }
    going = {volume.labels.get(_RUN) for volume, age in found if age < SECONDS}
    removed: list[str] = []
    for volume, age in found:
        if age < SECONDS:
            continue
        if volume.labels.get(_RUN) in going:
            engine.remove([volume])  # It was renewed; the one before stayed.
            continue
        checkout, host, left = volume.labels.get(_CHECKOUT, ""), volume.labels.get(_HOST, ""), False
        for project in volume.labels.get(_STACKS, "").split():
            if not checkout or (checkout, project) in living:
                continue
            # The host, too: two users of one checkout leave each other's stacks alone.
            resources = engine.owned({PROJECT_LABEL: project, CHECKOUT: checkout, HOST: host})
            gone = engine.remove(resources)
            left = left or len(gone) < len(resources)
            removed += [project] if gone else []
        if not left:
            _give_back(engine, volume)
    return tuple(dict.fromkeys(removed))


def _give_back(engine: Engine, volume: Resource) -> None:
    """The claim of a run that is over, unless its checkout has something there, and the lease itself."""
    claimed, checkout = volume.labels.get(_CLAIMED, ""), volume.labels.get(_CHECKOUT, "")
    arbiter = EngineArbiter(engine)
    if claimed and checkout not in leased(engine) and checkout not in arbiter.owners(claimed):
        arbiter.unmark(Mark(claimed, checkout, volume.labels.get(_HOST, "")))
    engine.remove([volume])

"""Which targets passed, and on what: the trees of a checkout that tests were green on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct, field

from tasklib.state.store import State

__all__ = ["Pass", "Passes"]

_NOTHING: Mapping[str, str] = MappingProxyType({})

_KEPT = 20
"""Passes of a target that are remembered: an edit that is taken back finds its own again."""


class Pass(Struct, frozen=True):
    """One green target: its ``stage`` and ``service``, and how many ``tests`` passed.

    ``tree`` is the tree of the checkout it was green on, ``rest`` a digest of what else it depends on, ``at``
    is when (seconds since the epoch).
    """

    stage: str
    service: str
    tree: str
    rest: str
    at: float
    tests: int = 0


class _Record(Struct, frozen=True):
    passes: tuple[Pass, ...] = field(default=())
    rests: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))


class Passes:
    """The passes of one project of one checkout."""

    def __init__(self, state: State, checkout: str, project: str) -> None:
        self._state = state
        self._name = State.name("passes", checkout, project or ".")

    def all(self) -> tuple[Pass, ...]:
        """The newest first."""
        record = self._state.read(self._name, _Record) or _Record()
        return tuple(sorted(record.passes, key=lambda known: -known.at))

    def rests(self) -> Mapping[str, Mapping[str, str]]:
        """What the newest passes depend on beside their trees: by its digest, each part's name and digest."""
        return (self._state.read(self._name, _Record) or _Record()).rests

    def add(self, passes: Iterable[Pass], rest: Mapping[str, str] = _NOTHING) -> None:
        """Remember them; of each target and content the newest, and of each target the last twenty.

        ``rest`` is what all of them depend on beside their tree.
        """
        passes = tuple(passes)
        with self._state.lock("passes"):
            kept: dict[tuple[str, ...], Pass] = {}
            counts: dict[tuple[str, str], int] = {}
            for known in sorted((*passes, *self.all()), key=lambda known: -known.at):
                key = (known.stage, known.service)
                if (*key, known.tree, known.rest) not in kept and counts.get(key, 0) < _KEPT:
                    kept[*key, known.tree, known.rest] = known
                    counts[key] = counts.get(key, 0) + 1
            rests = {**self.rests(), **{known.rest: dict(rest) for known in passes}}
            newest = {(known.stage, known.service): known.rest for known in reversed(kept.values())}
            told = {digest: rests[digest] for digest in newest.values() if digest in rests}
            self._state.keep(self._name, _Record(tuple(kept.values()), told))

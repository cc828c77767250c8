"""The engine as the arbiter of claims: an empty volume under a Compose project's name says whose it is.

A volume, since its name is unique on every engine, and making one that is there already changes nothing and
answers with what the first one asked for. It carries no label of Compose's, nor those of a stack's resources.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tasklib.instance.claim import Mark
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import PROJECT_LABEL, Resource
from tasklib.stacks.labels import CHECKOUT

__all__ = ["EngineArbiter"]

_NAME = "tasklib.claim."
"""No resource of a stack is called so: what stands before a resource's first dot is ``<prefix>-<id>``."""

_PROJECT = "io.tasklib.claim"
_CHECKOUT = "io.tasklib.claim.checkout"
_HOST = "io.tasklib.claim.host"
_ROOT = "io.tasklib.claim.root"


class EngineArbiter:
    """An :class:`~tasklib.instance.claim.Arbiter`. Every method may raise ``EngineError``."""

    def __init__(self, engine: Engine, spared: Collection[str] = ()) -> None:
        """The marks of checkouts that are ``spared`` are not listed: their runs live elsewhere."""
        self._engine = engine
        self._spared = spared

    def owners(self, project: str) -> frozenset[str]:
        anything = {PROJECT_LABEL: ""}
        owned = [(resource, resource.labels.get(CHECKOUT, "")) for resource in self._engine.owned(anything)]
        # Whoever started these, Compose takes them for the project's own.
        inherited = [(resource, "") for resource in self._engine.inherited(anything)]
        return frozenset(
            checkout
            for resource, checkout in (*owned, *inherited)
            if resource.labels.get(PROJECT_LABEL, "").partition("_")[0] == project
        )

    def mark(self, wanted: Mark) -> Mark:
        labels = {
            _PROJECT: wanted.project,
            _CHECKOUT: wanted.checkout,
            _HOST: wanted.host,
            _ROOT: wanted.root.encode("ascii", "backslashreplace").decode(),
        }
        return _mark_of(wanted.project, self._engine.named_volume(f"{_NAME}{wanted.project}", labels))

    def unmark(self, mark: Mark) -> None:
        name = f"{_NAME}{mark.project}"
        labels = self._engine.volume_labels(name)
        if labels is not None and _mark_of(mark.project, labels).is_of(mark.checkout, mark.host):
            self._engine.remove([Resource("volume", name, name, labels)])

    def marks(self, host: str) -> tuple[Mark, ...]:
        found = self._engine.owned({_HOST: host}, kinds=["volume"])
        marks = (_mark_of(resource.labels.get(_PROJECT, ""), resource.labels) for resource in found)
        return tuple(mark for mark in marks if mark.checkout not in self._spared)


def _mark_of(project: str, labels: Mapping[str, str]) -> Mark:
    """What the labels of a mark say; a volume that somebody else made under its name is nobody's mark."""
    return Mark(project, labels.get(_CHECKOUT, ""), labels.get(_HOST, ""), labels.get(_ROOT, ""))

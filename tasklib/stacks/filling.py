"""What a created container cannot mount is copied into it."""

from __future__ import annotations

from collections.abc import Iterable

from tasklib.stacks.archive import Copied, archive
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import Container
from tasklib.stacks.rewrite import CopyIn

__all__ = ["fill"]


def fill(engine: Engine, container: Container, copies: Iterable[CopyIn]) -> None:
    """Copy into a container that has not started what its service is to have of ``copies``.

    Raises :class:`~tasklib.errors.ConfigError` for what cannot be read here.
    """
    mine = [copy for copy in copies if copy.service == container.service]
    for folder in (copy for copy in mine if copy.state.folder):
        with archive([_copied(folder, ".")]) as packed:
            engine.copy_in(container.id, folder.target, packed)
    if files := [_copied(copy, copy.target.lstrip("/")) for copy in mine if not copy.state.folder]:
        with archive(files) as packed:
            engine.copy_in(container.id, "/", packed)


def _copied(copy: CopyIn, name: str) -> Copied:
    return Copied(copy.source, name, copy.mode, copy.uid, copy.gid)

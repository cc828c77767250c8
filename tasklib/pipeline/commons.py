"""Folders of the checkout that several stacks of a run write: one stack at a time has each of them.

Two databases cannot run on one folder, and stacks overlap. The full stack lets those of services go first:
its tests come after theirs, so nothing waits in a circle. A stack enters before it takes a place, and leaves
once it is down.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from tasklib import process
from tasklib.errors import TasklibError
from tasklib.stacks.written import written_in_common

__all__ = ["Commons", "Writer"]

_LOOK = 0.2
"""Seconds between two looks whether the run is to end."""


class Writer(Protocol):
    """A stack of the run."""

    @property
    def title(self) -> str: ...

    @property
    def writes(self) -> Collection[Path]:
        """Folders with data that it writes; known once it is prepared."""
        ...

    def prepare(self) -> None:
        """Find out, or wait until somebody has. Raises :class:`~tasklib.errors.TasklibError`."""
        ...


class Commons:
    """What the stacks of one run write in common. Safe to use from threads."""

    def __init__(self, root: Path, notice: Callable[[str], None]) -> None:
        """``notice`` is told of each pair that has to wait, with folders as they are called from ``root``."""
        self._root = root
        self._notice = notice
        self._changed = threading.Condition()
        self._expected: list[Writer] = []
        self._inside: list[Writer] = []
        self._told: set[frozenset[str]] = set()

    def expect(self, writer: Writer) -> None:
        """``writer`` goes before those that :meth:`enter` as ``last``, until it leaves."""
        self._expected.append(writer)

    def enter(self, writer: Writer, cancel: process.Cancel, *, last: bool) -> None:
        """Wait until nobody else has a folder that ``writer`` writes; from then on it has them.

        Raises :class:`~tasklib.errors.Interrupted`.
        """
        if not writer.writes:
            return
        for other in tuple(self._expected) if last else ():
            with contextlib.suppress(TasklibError):
                other.prepare()
        with self._changed:
            while before := self._before(writer, last=last):
                cancel.check()
                self._tell(writer, before)
                self._changed.wait(_LOOK)
            self._inside.append(writer)

    def leave(self, writer: Writer) -> None:
        """``writer`` is down, or will never be up."""
        with self._changed:
            for known in (self._expected, self._inside):
                if writer in known:
                    known.remove(writer)
            self._changed.notify_all()

    def _before(self, writer: Writer, *, last: bool) -> Writer | None:
        others = [*self._inside, *(self._expected if last else ())]
        return next(
            (o for o in others if o is not writer and written_in_common(o.writes, writer.writes)), None
        )

    def _tell(self, writer: Writer, other: Writer) -> None:
        names = frozenset((writer.title, other.title))
        if names not in self._told:
            self._told.add(names)
            common = written_in_common(other.writes, writer.writes)
            folders = ", ".join(sorted(os.path.relpath(folder, self._root) for folder in common))
            self._notice(f"{writer.title} waits for {other.title}: both write into {folders}")

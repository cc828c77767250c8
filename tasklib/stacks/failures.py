"""What went wrong with a stack, with the lines that its parts wrote last."""

from __future__ import annotations

from tasklib.errors import StackError
from tasklib.events import ContainerLog

__all__ = ["BuildFailed", "NotReady"]


class NotReady(StackError):
    """A stack did not become ready; ``logs`` are the last lines of the containers at fault."""

    def __init__(
        self,
        what: str,
        *,
        logs: tuple[ContainerLog, ...] = (),
        where: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.logs = logs


class BuildFailed(NotReady):
    """An image of a stack cannot be built; ``logs`` are the last lines of the step that failed."""

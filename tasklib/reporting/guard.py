"""A report that breaks (a full disk, a closed pipe) must not break the run it reports on."""

from __future__ import annotations

from collections.abc import Callable

from tasklib.events import Event
from tasklib.reporting.folds.folding import Reporter
from tasklib.reporting.folds.run import RunState
from tasklib.reporting.words.text import one_line

__all__ = ["Guarded"]


class Guarded:
    """Hands on until the reporter fails for the first time, then tells ``complain`` once and stops."""

    def __init__(self, reporter: Reporter, what: str, complain: Callable[[str], None]) -> None:
        self._reporter: Reporter | None = reporter
        self._what = what
        self._complain = complain

    @property
    def stopped(self) -> bool:
        """Whether it failed."""
        return self._reporter is None

    def tell(self, event: Event, run: RunState) -> None:
        if self._reporter is None:
            return
        try:
            self._reporter.tell(event, run)
        except BrokenPipeError:
            # Whoever read the lines has gone (`| head`): there is nobody to tell.
            self._reporter = None
        except Exception as error:
            self._reporter = None
            self._complain(f"{self._what} stopped: {one_line(str(error)) or type(error).__name__}")

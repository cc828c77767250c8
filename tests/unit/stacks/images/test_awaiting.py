"""What one thread makes and others wait for."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from tasklib.errors import Interrupted
from tasklib.process import Cancel
from tasklib.stacks.images.awaiting import awaited


class JustThen(Future[str]):
    """One that is made in the very moment in which a wait for it runs out."""

    def result(self, timeout: float | None = None) -> str:
        try:
            return super().result(timeout)
        except TimeoutError:
            self.set_result("made")
            raise


class Looks(Cancel):
    """Makes ``future`` at the second look at whether the run is to stop."""

    def __init__(self, future: Future[str]) -> None:
        super().__init__()
        self._future = future
        self._looks = 0

    def check(self) -> None:
        self._looks += 1
        if self._looks == 2 and not self._future.done():
            self._future.set_result("made")


def test_what_is_made_as_a_wait_runs_out_is_had() -> None:
    """The end of a wait is never taken for a time-out of whoever makes it."""
    future = JustThen()
    assert awaited(future, Looks(future)) == "made"


def test_what_its_maker_raises_is_raised_also_a_time_out() -> None:
    """A registry's time-out ends the wait; it is not waited for again."""
    future: Future[str] = Future()
    future.set_exception(TimeoutError("the registry"))
    with pytest.raises(TimeoutError, match="the registry"):
        awaited(future, Cancel())


def test_a_run_that_is_to_stop_waits_no_longer() -> None:
    """Whatever becomes of what it waits for."""
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Interrupted):
        awaited(Future[str](), cancel)

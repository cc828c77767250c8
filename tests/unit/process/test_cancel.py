"""Requests to stop."""

from __future__ import annotations

import threading
import time

import pytest

from tasklib.errors import Interrupted
from tasklib.process import Cancel

LONG = 60.0
"""Seconds that nobody waits for here."""


def test_a_wait_ends_when_its_time_is_over() -> None:
    """And leaves nothing behind on those whose requests it would have seen."""
    parent = Cancel()
    Cancel(parent).wait(0.001)
    assert not parent._woken


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_a_wait_ends_with_the_request_of_any_of_its_line(generation: int) -> None:
    """Its own, its parent's or one further up: nobody looks again and again for that."""
    line = [Cancel()]
    for _ in range(2):
        line.append(Cancel(line[-1]))
    ended: list[str] = []

    def wait() -> None:
        try:
            line[2].wait(LONG)
        except Interrupted as error:
            ended.append(error.what)

    waiter = threading.Thread(target=wait)
    waiter.start()
    while not line[generation]._woken:
        time.sleep(0.001)
    line[generation].set("enough")
    waiter.join(LONG)
    assert ended == ["enough"]


def test_a_request_from_before_ends_a_wait_at_once() -> None:
    """Nothing has to happen for that."""
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Interrupted):
        cancel.wait(LONG)

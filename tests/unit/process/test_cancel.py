"""Requests to stop."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import pytest

from tasklib.errors import Interrupted
from tasklib.process import Cancel

LONG = 60.0
"""Seconds that nobody waits for here."""


def test_a_wait_ends_when_its_time_is_over() -> None:
    """And leaves nothing behind on those whose requests it would have seen."""
    parent = Cancel()
    Cancel(parent).wait(0.001)
    assert not parent._asleep


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
    while not line[generation]._asleep:
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


def test_a_signal_s_handler_may_make_the_request_at_any_moment_of_a_wait() -> None:
    """It runs in the thread that waits, between any two of its steps, and must not wait for that thread."""
    ended: list[str] = []

    def wait(steps: int) -> bool:
        """Whether the request came within so many steps; one that comes with none ends the wait, too."""
        cancel, left = Cancel(), [steps]

        def step(*_: object) -> Any:
            left[0] -= 1
            if left[0] == 0:
                cancel.set()
            return step

        sys.settrace(step)
        try:
            cancel.wait(0.001)
        except Interrupted:
            return True
        finally:
            sys.settrace(None)
        return False

    def all_steps() -> None:
        steps = 1
        while wait(steps):
            steps += 1
        ended.append("all of them")

    waiter = threading.Thread(target=all_steps, daemon=True)
    waiter.start()
    waiter.join(LONG / 6)
    assert ended == ["all of them"]

"""A failure that is the machine's is said to be that."""

from __future__ import annotations

import pytest

from tasklib.pipeline.overload import Machine, blame, look

CALM = Machine(3, 1.0, 2)


def test_a_process_that_the_kernel_ended() -> None:
    """Whatever the failure says, since nobody knows whose it was; what was ended before does not count."""
    said = blame(CALM, Machine(4, 1.0, 2), ["assert 1 == 2"])
    assert said == (
        "meanwhile the kernel ended a process of this machine for want of memory: that may be why"
    )
    assert "ended 5 processes" in blame(CALM, Machine(8, 1.0, 2), [])
    assert blame(CALM, CALM, ["timed out"]) == ""


@pytest.mark.parametrize(
    "said",
    [
        "TimeoutError: timed out",
        "E   requests.exceptions.ReadTimeout: read timeout=5",
        "the stack of api was not ready after 60 s, waiting for db",
        "ended after 30 s, its time limit",
    ],
)
def test_a_time_out_on_a_busy_machine(said: str) -> None:
    """With what it was busy with; one of a machine that was not is the test's own."""
    busy = Machine(3, 17.4, 2)
    assert "17 programs wanted to run on 2 processors" in blame(CALM, busy, ["", said])
    assert blame(CALM, CALM, [said]) == ""
    assert blame(CALM, busy, ["assert 1 == 2"]) == ""


def test_this_machine() -> None:
    """It can be looked at."""
    found = look()
    assert found.processors > 0
    assert found.kills >= 0
    assert found.load >= 0

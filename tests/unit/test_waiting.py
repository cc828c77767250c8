"""Waiting for a condition."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tasklib import waiting
from tasklib.waiting import wait_for, wait_for_async


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    monkeypatch.setattr(waiting, "_now", clock.monotonic)
    return clock


def test_a_condition_that_holds_returns_at_once(clock: Clock) -> None:
    """Its value comes back, and nothing slept."""
    assert wait_for(lambda: [1]) == [1]
    assert clock.sleeps == []


def test_pauses_grow_and_the_deadline_has_a_last_look(clock: Clock) -> None:
    """Quick looks first, slower ones later, and one when time is up."""
    looks: list[float] = []
    with pytest.raises(TimeoutError):
        wait_for(lambda: looks.append(clock.now), timeout=2)
    assert clock.sleeps[0] == 0.01
    assert max(clock.sleeps) == 0.25
    assert looks[-1] == pytest.approx(102.0)
    assert len(looks) < 25


def test_errors_count_as_not_yet(clock: Clock) -> None:
    """A service that refuses connections at first is waited for."""
    answers: Iterator[Exception | str] = iter([ConnectionRefusedError(), AssertionError(), "up"])

    def condition() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert wait_for(condition) == "up"


def test_other_errors_pass_through(clock: Clock) -> None:
    """Only what was named is waited over."""
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 / 0, errors=(OSError, AssertionError))


def test_a_time_out_says_what_was_seen_last(clock: Clock) -> None:
    """The value, or the exception (also as the cause)."""
    with pytest.raises(TimeoutError, match=r"did not hold within 0\.1 s: it last returned \[\]"):
        wait_for(list, timeout=0.1)
    with pytest.raises(TimeoutError, match="it last raised OSError: refused") as caught:
        wait_for(_refuse, timeout=0.1)
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(TimeoutError, match="within 0 s: it last returned None"):
        wait_for(lambda: None, timeout=0)


def test_the_async_twin_waits_for_both_kinds_of_condition() -> None:
    """Coroutine functions and plain ones, with errors and values as in the other."""
    seen: list[int] = []

    async def condition() -> int:
        await asyncio.sleep(0)
        seen.append(1)
        if len(seen) == 1:
            raise OSError("not yet")
        return len(seen) if len(seen) > 2 else 0

    assert asyncio.run(wait_for_async(condition, timeout=5)) == 3
    assert asyncio.run(wait_for_async(lambda: "x", timeout=5)) == "x"
    with pytest.raises(TimeoutError, match="it last raised OSError: refused"):
        asyncio.run(wait_for_async(_refuse, timeout=0.05))


def test_other_tasks_run_while_the_async_twin_waits() -> None:
    """It is another task of the loop that makes the condition true."""

    async def main() -> bool:
        ready: list[bool] = []
        asyncio.get_running_loop().call_later(0.05, ready.append, True)
        await wait_for_async(lambda: ready, timeout=5)
        return ready[0]

    assert asyncio.run(main())


def test_a_condition_that_does_not_come_back_is_cancelled() -> None:
    """An await without end does not outlive the time, and is ended."""
    ended: list[bool] = []

    async def condition() -> bool:
        try:
            await asyncio.sleep(600)  # tasklib: ignore[TL501] it is cancelled
        finally:
            ended.append(True)
        return True

    began = time.monotonic()
    with pytest.raises(TimeoutError, match="it did not come back"):
        asyncio.run(wait_for_async(condition, timeout=0.1))
    assert time.monotonic() - began < 5
    assert ended


def _refuse() -> bool:
    raise OSError("refused")


def test_waiting_ends_where_time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that stops the clock puts functions of its own in place of the module's."""
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(time, "time", lambda: 100.0)
    with pytest.raises(TimeoutError):
        wait_for(lambda: False, timeout=0.05)
    with pytest.raises(TimeoutError):
        asyncio.run(wait_for_async(lambda: False, timeout=0.05))
    with pytest.raises(TimeoutError, match="did not come back"):
        asyncio.run(wait_for_async(asyncio.Event().wait, timeout=0.05))

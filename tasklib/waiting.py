"""Wait for a condition instead of sleeping: tests that go on as soon as what they wait for is there."""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from tasklib.shown.cutting import shorten

if TYPE_CHECKING:
    import asyncio

__all__ = ["wait_for", "wait_for_async"]

T = TypeVar("T")

FIRST = 0.01
LONGEST = 0.25
"""Seconds between two looks: the first pause, and what it grows to."""

_GROWTH = 1.5

LENGTH = 300
"""Characters that are told of what a condition returned or raised."""

_now = functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC)
"""A clock that libraries which stop or set clocks leave alone: waiting ends in frozen time, too."""


def wait_for(
    condition: Callable[[], T | None],
    timeout: float = 5.0,
    *,
    errors: type[Exception] | tuple[type[Exception], ...] = Exception,
) -> T:
    """Call ``condition`` until what it returns is true, and return that.

    ``timeout`` is in seconds; the condition is called at least once, and a last time when they are over.
    One of ``errors`` raised by it counts as "not yet", any other passes through. The pauses start at 10 ms
    and grow. Raises :class:`TimeoutError` that says what the condition last returned or raised.

    >>> wait_for(lambda: "ready", timeout=1)
    'ready'
    """
    look = _Look(timeout)
    while True:
        try:
            value = condition()
        except errors as error:
            look.raised(error)
        else:
            if value:
                return value
            look.returned(value)
        time.sleep(look.pause())


@overload
async def wait_for_async(
    condition: Callable[[], Awaitable[T | None]],
    timeout: float = 5.0,
    *,
    errors: type[Exception] | tuple[type[Exception], ...] = Exception,
) -> T: ...


@overload
async def wait_for_async(
    condition: Callable[[], T | None],
    timeout: float = 5.0,
    *,
    errors: type[Exception] | tuple[type[Exception], ...] = Exception,
) -> T: ...


async def wait_for_async(
    condition: Callable[[], Awaitable[T | None] | T | None],
    timeout: float = 5.0,
    *,
    errors: type[Exception] | tuple[type[Exception], ...] = Exception,
) -> T:
    """As :func:`wait_for`, for asyncio: ``condition`` may be a coroutine function, others run meanwhile.

    A condition that does not come back in time is cancelled.
    """
    import asyncio

    async def outcome() -> T | None:
        given = condition()
        return await given if inspect.isawaitable(given) else given

    look = _Look(timeout)
    while True:
        task = asyncio.ensure_future(outcome())
        try:
            await _first(task, max(look.left(), FIRST))
            back = task.done()
        finally:
            task.cancel()
        if not back:
            await _first(task, LONGEST)
            raise look.over("it did not come back")
        try:
            value = task.result()
        except errors as error:
            look.raised(error)
        else:
            if value:
                return value
            look.returned(value)
        await _rest(look.pause())


async def _first(task: asyncio.Future[Any], seconds: float) -> None:
    """Wait until ``task`` is done, but no longer than ``seconds``."""
    import asyncio

    alarm = asyncio.ensure_future(_rest(seconds))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()


async def _rest(seconds: float) -> None:
    """As ``asyncio.sleep``, whose clock may be one that a test has stopped."""
    import asyncio

    over = asyncio.Event()
    timer = threading.Timer(seconds, asyncio.get_running_loop().call_soon_threadsafe, [over.set])
    timer.daemon = True
    timer.start()
    try:
        await over.wait()
    finally:
        timer.cancel()


class _Look:
    """How long the wait goes on, and what was seen last."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._deadline = _now() + timeout
        self._pause = FIRST
        self._last = "nothing"
        self._cause: Exception | None = None
        self._last_look = False

    def left(self) -> float:
        return self._deadline - _now()

    def returned(self, value: object) -> None:
        self._last, self._cause = f"it last returned {shorten(repr(value), LENGTH)}", None

    def raised(self, error: Exception) -> None:
        said = shorten(str(error), LENGTH)
        self._last, self._cause = f"it last raised {type(error).__name__}: {said}", error

    def over(self, last: str = "") -> TimeoutError:
        """The error to raise when time is up; ``last`` replaces what was seen last."""
        error = TimeoutError(f"the condition did not hold within {self._timeout:g} s: {last or self._last}")
        error.__cause__ = self._cause
        return error

    def pause(self) -> float:
        """Seconds until the next look. Raises TimeoutError after the last one."""
        left = self.left()
        if self._last_look or left <= 0:
            raise self.over()
        self._last_look = left <= self._pause
        pause, self._pause = min(self._pause, left), min(self._pause * _GROWTH, LONGEST)
        return pause

"""The engine's silence and refusals as errors: slow is waited for, stuck or gone is said in bounded time."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from tasklib import process
from tasklib.errors import EngineError, Interrupted, StackError, engine_stopped

__all__ = ["TIMEOUT", "Answering", "Heart", "Link", "blaming", "listening", "translated"]

TIMEOUT = 20
"""Seconds without an answer after which the engine is asked whether it is there at all."""

_PING = 10.0
"""Seconds that it has for that answer."""

_AGAIN = 3.0
"""Seconds that it has once it was found silent: nobody waits for each of many calls to fail."""

_MOMENT = 1.0
"""Seconds in which the end of a connection is noticed."""

_LOOK = 0.01

_TRIES = 6
"""How often a call is made to an engine that is there and slow."""

_BEAT = 5.0
"""Seconds between two looks at an engine that is busy for us."""

P = ParamSpec("P")
R = TypeVar("R")


class Link(Protocol):
    """A connection that may be lost, and be opened again by itself."""

    @property
    def losses(self) -> int:
        """How often it was lost."""
        ...

    @property
    def error(self) -> EngineError:
        """What to say of a loss."""
        ...

    @property
    def mended(self) -> str:
        """What to say where it was lost and is open again; empty where there is nothing to say."""
        ...

    def wait(self) -> bool:
        """Whether it is open, now or before long."""
        ...


class Heart:
    """Whether an engine still answers."""

    def __init__(self, ping: Callable[[float], object], link: Link | None = None) -> None:
        """``ping(seconds)`` raises where no answer comes in time; ``link`` is what it goes through."""
        self._ping = ping
        self._link = link
        self._silent = False

    @property
    def losses(self) -> int:
        """How often the connection to the engine was lost."""
        return self._link.losses if self._link else 0

    def stopped(self, losses: int = 0) -> EngineError:
        """Why it does not answer; of a connection only what was lost after ``losses`` counts."""
        return self._link.error if self._link and self._link.losses > losses else engine_stopped()

    @property
    def mended(self) -> str:
        """What to say of a connection that was lost and is open again; empty: nothing."""
        return self._link.mended if self._link else ""

    def is_back(self) -> bool:
        """Whether a connection that was lost is open again."""
        return self._link is not None and self.beats()

    def beats(self) -> bool:
        """Ask it; one that was silent the last time has less time to answer."""
        if self._link is None:
            return self._pings()
        losses = self._link.losses
        if not self._link.wait():
            return False
        return self._pings() or (self._is_lost(self._link, losses) and self._link.wait() and self._pings())

    def _is_lost(self, link: Link, losses: int) -> bool:
        """Whether the connection was lost: that is noticed a moment after what went through it has ended."""
        until = time.monotonic() + _MOMENT
        while link.losses == losses and time.monotonic() < until:
            time.sleep(_LOOK)
        return link.losses > losses

    def _pings(self) -> bool:
        try:
            self._ping(_AGAIN if self._silent else _PING)
        except Exception:
            self._silent = True
        else:
            self._silent = False
        return not self._silent

    def check(self) -> None:
        """Raise :class:`~tasklib.errors.EngineError` where it was silent the last time and still is."""
        if self._silent and not self.beats():
            raise self.stopped()


class Answering(Protocol):
    """Whatever makes calls to an engine."""

    @property
    def heart(self) -> Heart: ...


A = TypeVar("A", bound=Answering)


def translated(function: Callable[Concatenate[A, P], R]) -> Callable[Concatenate[A, P], R]:
    """A method that may be called twice, with the SDK's and its transport's errors as :class:`EngineError`.

    It is called again while the engine answers others and not us: it is slow then, not stuck.
    """

    @functools.wraps(function)
    def call(self: A, /, *args: P.args, **kwargs: P.kwargs) -> R:
        import docker.errors
        import requests.exceptions

        self.heart.check()
        for left in reversed(range(_TRIES)):
            try:
                return function(self, *args, **kwargs)
            except requests.exceptions.Timeout as error:
                if not left or not self.heart.beats():
                    raise self.heart.stopped() from error
            except docker.errors.APIError as error:
                raise EngineError(f"the Docker engine refused: {error.explanation or error}") from error
            except requests.exceptions.RequestException as error:
                if not left or not self.heart.is_back():
                    raise self.heart.stopped() from error
        raise AssertionError("unreachable")

    return call


@contextlib.contextmanager
def listening(heart: Heart, cancel: process.Cancel) -> Iterator[process.Cancel]:
    """Watch over what the engine does for a command of ours, such as a build.

    The command is to be given the cancellation that comes out, which is also set when the engine falls
    silent. Raises :class:`~tasklib.errors.EngineError` then.
    """
    own = process.Cancel(cancel)
    over, silent = threading.Event(), threading.Event()

    def look() -> None:
        while not over.wait(_BEAT):
            if not heart.beats():
                silent.set()
                own.set("the engine is silent")
                return

    thread = threading.Thread(target=look, daemon=True, name="heart of the engine")
    thread.start()
    try:
        yield own
    except Interrupted:
        if silent.is_set() and not cancel.is_set():
            raise heart.stopped() from None
        raise
    finally:
        over.set()


@contextlib.contextmanager
def blaming(heart: Heart) -> Iterator[None]:
    """Make an :class:`~tasklib.errors.EngineError` of what failed because the engine is gone."""
    losses = heart.losses
    try:
        yield
    except (EngineError, StackError) as error:
        if heart.losses > losses or (isinstance(error, StackError) and not heart.beats()):
            raise heart.stopped(losses) from error
        raise

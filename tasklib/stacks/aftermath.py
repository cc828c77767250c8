"""PURE: what became of a stack's containers since it was ready, of which tests may have failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tasklib.stacks.engine.values import Container

__all__ = ["ended", "forgot", "starved"]


def ended(ready: Iterable[Container], now: Iterable[Container]) -> tuple[str, ...]:
    """A line for each service that ran when the stack was ready, and runs no more.

    One line where none does: whoever stopped them stopped all, as an engine does that restarts.
    """
    there = {container.id: container for container in now}
    ran = [container for container in ready if container.state == "running"]
    lost = [(c.service, there.get(c.id)) for c in ran if c.id not in there or there[c.id].state in _OVER]
    if len(lost) == len(ran) > 1:
        return ("all its containers ended while tests ran: the engine restarted, or somebody stopped them",)
    return tuple(
        f"{service} ended while tests ran ({_how(left)})"
        for service, left in lost
        # One that ends by itself may be a job that did its work.
        if left is None or left.exit_code or len(lost) == len(ran)
    )


def _how(left: Container | None) -> str:
    return f"exit code {left.exit_code}" if left else "its container is gone"


_OVER = ("exited", "dead", "restarting", "removing")


def forgot(ready: Iterable[Container], now: Iterable[Container], holders: Collection[str]) -> tuple[str, ...]:
    """The services of ``holders``, whose data is in memory, that lost it: their container restarted."""
    lives = dict(container.life for container in ready)
    return tuple(
        container.service
        for container in now
        if container.service in holders and lives.get(container.id, container.started) != container.started
    )


def starved(now: Iterable[Container]) -> tuple[str, ...]:
    """The services in whose containers the kernel ended something for want of memory."""
    return tuple(container.service for container in now if container.starved)

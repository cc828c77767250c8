"""The jobs of the api, from Redis: ids of orders on the list `orders:queue`.

A job taken stays on `orders:taken` until it is finished, so that one whose worker died is found again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from redis import Redis

__all__ = ["RedisQueue"]

QUEUE = "orders:queue"
TAKEN = "orders:taken"
# How long a quiet queue keeps the worker.
TAKE_SECONDS = 5


class RedisQueue:
    """Takes jobs from `redis`, which must decode its answers."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @classmethod
    @contextmanager
    def connect(cls, url: str) -> Iterator[RedisQueue]:
        """Yield a queue on the server at `url` (`redis://…`)."""
        # A server that is silent for the length of a `take` is no broken one.
        with Redis.from_url(url, decode_responses=True, socket_timeout=2 * TAKE_SECONDS) as redis:
            yield cls(redis)

    def recover(self) -> int:
        """Queue again what was taken and never finished, before anything newer; return how many.

        Another worker may be at one of them right now: settling twice is harmless, losing one is not.
        """
        jobs = 0
        while self._redis.lmove(TAKEN, QUEUE, "LEFT", "RIGHT") is not None:
            jobs += 1
        return jobs

    def take(self) -> str | None:
        """Return the oldest job as it was queued, or None when none came within TAKE_SECONDS."""
        job = self._redis.blmove(QUEUE, TAKEN, TAKE_SECONDS, "RIGHT", "LEFT")
        return None if job is None else str(job)

    def finish(self, job: str) -> None:
        """Forget a job that was taken."""
        self._redis.lrem(TAKEN, 1, job)

    def announce(self, order_id: UUID) -> None:
        """Tell whoever waits for this order that it is settled."""
        self._redis.publish(f"orders:settled:{order_id}", "")

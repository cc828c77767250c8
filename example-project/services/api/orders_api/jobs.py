"""The way to the worker, through Redis.

An order's id is pushed on the list `orders:queue`; once the worker has settled it, it publishes on
`orders:settled:<id>`. Postgres keeps what is true: a message only says that it is worth looking.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from orders_api.errors import QueueUnavailable

__all__ = ["RedisJobs"]

QUEUE = "orders:queue"
CONFIRMATION_SECONDS = 5.0


class RedisJobs:
    """Queues orders on `redis`, and listens there for their end."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncIterator[RedisJobs]:
        """Yield jobs on the server at `url` (`redis://…`); it is first contacted when it is first needed."""
        # One try more, for a pooled connection the server has closed; a caller waits for no further ones.
        async with Redis.from_url(url, retry=Retry(NoBackoff(), 1)) as redis:
            yield cls(redis)

    async def is_up(self) -> bool:
        try:
            with reaching_redis():
                await self._redis.ping()
        except QueueUnavailable:
            return False
        return True

    async def submit(self, order_id: UUID) -> None:
        with reaching_redis():
            await self._redis.lpush(QUEUE, str(order_id))

    @asynccontextmanager
    async def watch(self, order_id: UUID) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
        with reaching_redis():
            async with self._redis.pubsub() as channel:
                await channel.subscribe(f"orders:settled:{order_id}")
                # The server's confirmation: only from here on does it keep messages for us.
                await channel.get_message(timeout=CONFIRMATION_SECONDS)

                async def settled(seconds: float) -> None:
                    await channel.get_message(timeout=seconds)

                yield settled


@contextmanager
def reaching_redis() -> Iterator[None]:
    """Turn whatever keeps us from Redis into QueueUnavailable."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise QueueUnavailable from error

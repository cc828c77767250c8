"""What the api needs from the outside: a place to keep orders, and a way to the worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from orders_api.jobs import RedisJobs
from orders_api.models import NewOrder, Order, Product
from orders_api.settings import Settings
from orders_api.store import PostgresStore

__all__ = ["Backend", "Jobs", "Store", "connect"]


class Store(Protocol):
    """Keeps products and orders."""

    async def is_up(self) -> bool: ...
    async def save_product(self, product: Product) -> None: ...
    async def products(self) -> list[Product]: ...
    async def add_order(self, order: NewOrder) -> Order: ...
    async def reject_order(self, order_id: UUID, reason: str) -> None: ...
    async def order(self, order_id: UUID) -> Order | None: ...
    async def orders(self, limit: int) -> list[Order]: ...


class Jobs(Protocol):
    """Hands orders to the worker, and hears from it. Raises QueueUnavailable."""

    async def is_up(self) -> bool: ...
    async def submit(self, order_id: UUID) -> None: ...

    def watch(self, order_id: UUID) -> AbstractAsyncContextManager[Callable[[float], Awaitable[None]]]:
        """Yield what waits until the order is settled, at most so many seconds.

        Whatever happens after entering is heard, even before the wait begins.
        """
        ...


@dataclass(frozen=True)
class Backend:
    """Both together, as the routes use them."""

    store: Store
    jobs: Jobs


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[Backend]:
    """Yield a backend on real Postgres and Redis; its connections close on leaving."""
    async with (
        PostgresStore.connect(settings.database_url) as store,
        RedisJobs.connect(settings.redis_url) as jobs,
    ):
        yield Backend(store, jobs)

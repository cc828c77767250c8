"""A backend that keeps everything in memory, and a client on the api above it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from orders_api.app import create_app
from orders_api.backend import Backend
from orders_api.errors import QueueUnavailable
from orders_api.models import NewOrder, Order, Product, Status


class MemoryStore:
    """Keeps products and orders in dictionaries."""

    def __init__(self) -> None:
        self.up = True
        self._products: dict[str, Product] = {}
        self._orders: dict[UUID, Order] = {}

    async def is_up(self) -> bool:
        return self.up

    async def save_product(self, product: Product) -> None:
        self._products[product.sku] = product

    async def products(self) -> list[Product]:
        return [self._products[sku] for sku in sorted(self._products)]

    async def add_order(self, order: NewOrder) -> Order:
        added = Order(
            **order.model_dump(),
            id=uuid4(),
            status=Status.PENDING,
            total_cents=None,
            reason=None,
            created_at=datetime.now(UTC),
            settled_at=None,
        )
        self._orders[added.id] = added
        return added

    async def reject_order(self, order_id: UUID, reason: str) -> None:
        self._settle(order_id, status=Status.REJECTED, reason=reason)

    async def order(self, order_id: UUID) -> Order | None:
        return self._orders.get(order_id)

    async def orders(self, limit: int) -> list[Order]:
        return list(reversed(self._orders.values()))[:limit]

    def finish(self, order_id: UUID, total_cents: int) -> None:
        """Play the worker."""
        self._settle(order_id, status=Status.DONE, total_cents=total_cents)

    def _settle(self, order_id: UUID, **changes: object) -> None:
        changes["settled_at"] = datetime.now(UTC)
        self._orders[order_id] = self._orders[order_id].model_copy(update=changes)


class MemoryJobs:
    """Keeps what was submitted; `on_listening` and `on_waiting` happen while somebody waits for an order."""

    def __init__(self) -> None:
        self.up = True
        self.submitted: list[UUID] = []
        self.waits: list[float] = []
        self.on_listening: Callable[[UUID], None] = lambda order_id: None
        self.on_waiting: Callable[[UUID], None] = lambda order_id: None

    async def is_up(self) -> bool:
        return self.up

    async def submit(self, order_id: UUID) -> None:
        if not self.up:
            raise QueueUnavailable
        self.submitted.append(order_id)

    @asynccontextmanager
    async def watch(self, order_id: UUID) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
        self.on_listening(order_id)

        async def settled(seconds: float) -> None:
            self.waits.append(seconds)
            self.on_waiting(order_id)

        yield settled


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def jobs() -> MemoryJobs:
    return MemoryJobs()


@pytest.fixture
def client(store: MemoryStore, jobs: MemoryJobs) -> Iterator[TestClient]:
    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Backend]:
        yield Backend(store, jobs)

    with TestClient(create_app(in_memory)) as client:
        yield client

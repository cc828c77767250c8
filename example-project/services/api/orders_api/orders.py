"""What the api does with an order, whatever keeps and settles it."""

from __future__ import annotations

from uuid import UUID

from orders_api.backend import Backend
from orders_api.errors import QueueUnavailable
from orders_api.models import NewOrder, Order, Status

__all__ = ["look_up", "place"]


async def place(backend: Backend, order: NewOrder) -> Order:
    """Keep the order, then queue it: the worker must find what it is told about.

    An order that cannot be queued is kept as rejected, so that none stays pending for ever, and
    QueueUnavailable goes on to the caller.
    """
    placed = await backend.store.add_order(order)
    try:
        await backend.jobs.submit(placed.id)
    except QueueUnavailable:
        await backend.store.reject_order(placed.id, "could not be queued")
        raise
    return placed


async def look_up(backend: Backend, order_id: UUID, wait: float = 0) -> Order | None:
    """Return the order once it is settled, or as it stands after `wait` seconds; None if there is none."""
    order = await backend.store.order(order_id)
    if order is None or order.status is not Status.PENDING or wait <= 0:
        return order
    async with backend.jobs.watch(order_id) as settled:
        # Looked at again: it may have been settled before anyone listened.
        order = await backend.store.order(order_id)
        if order is not None and order.status is Status.PENDING:
            await settled(wait)
            order = await backend.store.order(order_id)
    return order

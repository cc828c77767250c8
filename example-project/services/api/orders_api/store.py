"""Products and orders in Postgres; the tables are those of database/schema.sql."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, LiteralString, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from orders_api.models import NewOrder, Order, Product

__all__ = ["PostgresStore"]

Row = TypeVar("Row", Product, Order)

SAVE_PRODUCT = """
INSERT INTO products (sku, name, price_cents, stock) VALUES (%(sku)s, %(name)s, %(price_cents)s, %(stock)s)
ON CONFLICT (sku) DO UPDATE
SET name = excluded.name, price_cents = excluded.price_cents, stock = excluded.stock
RETURNING *
"""
ADD_ORDER = "INSERT INTO orders (sku, quantity) VALUES (%(sku)s, %(quantity)s) RETURNING *"
REJECT_ORDER = """
UPDATE orders SET status = 'rejected', reason = %(reason)s, settled_at = clock_timestamp()
WHERE id = %(id)s AND status = 'pending'
RETURNING *
"""


class PostgresStore:
    """Keeps products and orders in the database behind `pool`."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncIterator[PostgresStore]:
        """Yield a store on the database at `url` (`postgresql://…`), which must answer within 30 s."""
        async with AsyncConnectionPool(url, min_size=1, max_size=10, open=False) as pool:
            await pool.wait()
            yield cls(pool)

    async def is_up(self) -> bool:
        try:
            async with self._pool.connection(timeout=2) as connection:
                await connection.execute("SELECT 1")
        except (psycopg.Error, PoolTimeout):
            return False
        return True

    async def save_product(self, product: Product) -> None:
        await self._rows(Product, SAVE_PRODUCT, product.model_dump())

    async def products(self) -> list[Product]:
        return await self._rows(Product, "SELECT * FROM products ORDER BY sku")

    async def add_order(self, order: NewOrder) -> Order:
        (added,) = await self._rows(Order, ADD_ORDER, order.model_dump())
        return added

    async def reject_order(self, order_id: UUID, reason: str) -> None:
        await self._rows(Order, REJECT_ORDER, {"id": order_id, "reason": reason})

    async def order(self, order_id: UUID) -> Order | None:
        rows = await self._rows(Order, "SELECT * FROM orders WHERE id = %(id)s", {"id": order_id})
        return rows[0] if rows else None

    async def orders(self, limit: int) -> list[Order]:
        query = "SELECT * FROM orders ORDER BY created_at DESC LIMIT %(limit)s"
        return await self._rows(Order, query, {"limit": limit})

    async def _rows(
        self, model: type[Row], query: LiteralString, values: Mapping[str, Any] | None = None
    ) -> list[Row]:
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(model)) as cursor,
        ):
            await cursor.execute(query, values)
            return await cursor.fetchall()

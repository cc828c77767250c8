"""Orders and stock in Postgres; the tables are those of database/schema.sql."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from orders_worker.fulfilment import Done, Outcome, Product, decide

__all__ = ["PostgresLedger"]


@dataclass(frozen=True)
class Order:
    """What the decision needs to know about an order."""

    sku: str
    quantity: int


class PostgresLedger:
    """Settles orders in the database behind `connection`."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def connect(cls, url: str) -> Iterator[PostgresLedger]:
        """Yield a ledger on the database at `url` (`postgresql://…`)."""
        with psycopg.connect(url, autocommit=True) as connection:
            yield cls(connection)

    def settle(self, order_id: UUID) -> Outcome | None:
        """Decide and write down what becomes of a pending order; None if there is none of that id.

        One transaction: an order is either settled with its stock taken, or untouched. Rows are locked
        in the order they are read in, so workers side by side neither oversell nor settle twice.
        """
        with self._connection.transaction():
            order = self._pending(order_id)
            if order is None:
                return None
            outcome = decide(self._product(order.sku), order.quantity)
            if isinstance(outcome, Done):
                self._connection.execute(
                    "UPDATE products SET stock = stock - %s WHERE sku = %s", (order.quantity, order.sku)
                )
            self._connection.execute(
                "UPDATE orders SET status = %s, total_cents = %s, reason = %s, settled_at = clock_timestamp()"
                " WHERE id = %s",
                (*columns(outcome), order_id),
            )
            return outcome

    def _pending(self, order_id: UUID) -> Order | None:
        with self._connection.cursor(row_factory=class_row(Order)) as cursor:
            cursor.execute(
                "SELECT sku, quantity FROM orders WHERE id = %s AND status = 'pending' FOR UPDATE",
                (order_id,),
            )
            return cursor.fetchone()

    def _product(self, sku: str) -> Product | None:
        with self._connection.cursor(row_factory=class_row(Product)) as cursor:
            cursor.execute("SELECT price_cents, stock FROM products WHERE sku = %s FOR UPDATE", (sku,))
            return cursor.fetchone()


def columns(outcome: Outcome) -> tuple[str, int | None, str | None]:
    """Return status, total_cents and reason as they are written down."""
    if isinstance(outcome, Done):
        return "done", outcome.total_cents, None
    return "rejected", None, outcome.reason

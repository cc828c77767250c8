"""The worker with a real database and a real queue. There is no api: the tests queue the orders."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from psycopg import Connection
from redis import Redis
from redis.client import PubSub

QUEUE = "orders:queue"
TAKEN = "orders:taken"


class Shop:
    """Does what the api does, and reads what the worker wrote."""

    def __init__(self, database: Connection, redis: Redis) -> None:
        self._database = database
        self._redis = redis

    def stock(self, pieces: int) -> str:
        """Put a product on the shelf at 4.50 each, under a SKU no other test uses."""
        sku = f"T-{uuid4().hex[:12].upper()}"
        self._database.execute("INSERT INTO products VALUES (%s, 'Mint, 50 g', 450, %s)", (sku, pieces))
        return sku

    def left(self, sku: str) -> int:
        """How many pieces there still are."""
        (pieces,) = self._database.execute("SELECT stock FROM products WHERE sku = %s", (sku,)).fetchone()
        return pieces

    def order(self, sku: str, quantity: int) -> UUID:
        """Write down an order without queueing it."""
        query = "INSERT INTO orders (sku, quantity) VALUES (%s, %s) RETURNING id"
        (order_id,) = self._database.execute(query, (sku, quantity)).fetchone()
        return order_id

    def settle(self, *order_ids: UUID) -> list[tuple[str, int | None, str | None]]:
        """Queue the orders, wait until the worker has announced each, and return what became of them."""
        channels = {f"orders:settled:{order_id}" for order_id in order_ids}
        with self._redis.pubsub() as channel:
            channel.subscribe(*channels)
            for _ in channels:  # only from the server's word on does it keep messages for us
                self._next(channel, "subscribe")
            self._redis.lpush(QUEUE, *map(str, order_ids))
            announced: set[str] = set()
            while announced < channels:
                announced.add(self._next(channel, "message"))
        query = "SELECT status, total_cents, reason FROM orders WHERE id = %s"
        return [self._database.execute(query, (order_id,)).fetchone() for order_id in order_ids]

    @staticmethod
    def _next(channel: PubSub, kind: str) -> str:
        """The channel of the next message of that kind."""
        while (message := channel.get_message(timeout=5)) is not None:
            if message["type"] == kind:
                return message["channel"]
        pytest.fail(f"no {kind} for 5 s")


@pytest.fixture
def shop(database, redis) -> Shop:
    return Shop(database, redis)


def test_an_order_is_done_and_taken_from_stock(shop):
    """Priced, settled and announced, and the shelf has that much less."""
    sku = shop.stock(25)

    assert shop.settle(shop.order(sku, 2)) == [("done", 900, None)]
    assert shop.left(sku) == 23


def test_an_order_beyond_the_stock_is_rejected_and_takes_nothing(shop):
    """The reason says how many there are."""
    sku = shop.stock(1)

    assert shop.settle(shop.order(sku, 2)) == [("rejected", None, "only 1 in stock")]
    assert shop.left(sku) == 1


def test_an_order_for_something_not_sold_is_rejected(shop):
    """An order may name any SKU; the worker knows what is sold."""
    assert shop.settle(shop.order("NO-SUCH-THING", 1)) == [("rejected", None, "not sold here")]


def test_the_last_pieces_go_to_who_came_first(shop):
    """Orders are settled in the order they were queued, and the stock never goes below nothing."""
    sku = shop.stock(3)
    results = shop.settle(*(shop.order(sku, 1) for _ in range(5)))

    assert [status for status, _, _ in results] == ["done", "done", "done", "rejected", "rejected"]
    assert shop.left(sku) == 0


def test_an_order_queued_twice_is_taken_from_stock_once(shop):
    """A second worker, or a second try, does no harm."""
    sku = shop.stock(25)
    order = shop.order(sku, 2)
    shop.settle(order, order)
    shop.settle(shop.order(sku, 1))  # when this one is settled, both of the others have been handled

    assert shop.left(sku) == 22


def test_a_job_that_names_no_order_does_not_stop_the_worker(shop, redis):
    """What comes after it is settled as ever, and none of them is left unfinished."""
    redis.lpush(QUEUE, "not an order")
    sku = shop.stock(1)

    assert shop.settle(shop.order(sku, 1)) == [("done", 450, None)]
    assert "not an order" not in redis.lrange(TAKEN, 0, -1)

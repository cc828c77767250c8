"""The api with a real database and a real queue. Nobody settles its orders: the tests play the worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

QUEUE = "orders:queue"


def new_sku() -> str:
    """A SKU no other test uses, so that tests can run side by side."""
    return f"T-{uuid4().hex[:12].upper()}"


def place(api, **changes) -> dict:
    return api.post("/orders", json={"sku": new_sku(), "quantity": 2} | changes).raise_for_status().json()


def settle(database, redis, order_id: str, total_cents: int) -> None:
    """Do to the order what the worker does."""
    database.execute(
        "UPDATE orders SET status = 'done', total_cents = %s, settled_at = now() WHERE id = %s",
        (total_cents, order_id),
    )
    redis.publish(f"orders:settled:{order_id}", "")


def wait_until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        time.sleep(0.01)


def test_the_api_is_healthy(api):
    """Both neighbours answer it."""
    assert api.get("/health").json() == {"database": True, "queue": True}


def test_a_placed_order_is_in_the_database(api, database):
    """What was accepted is kept, with the values that were sent."""
    order = place(api, quantity=3)

    row = database.execute(
        "SELECT sku, quantity, status FROM orders WHERE id = %s", (order["id"],)
    ).fetchone()
    assert row == (order["sku"], 3, "pending")


def test_a_placed_order_is_in_the_queue(api, redis):
    """The newest order is at the left end: the worker takes from the right."""
    first, second = place(api)["id"], place(api)["id"]

    queued = redis.lrange(QUEUE, 0, -1)
    assert queued.index(second) < queued.index(first)


def test_a_settled_order_is_served_as_it_was_settled(api, database, redis):
    """The api answers with what the worker wrote."""
    order = place(api)
    settle(database, redis, order["id"], total_cents=900)

    served = api.get(f"/orders/{order['id']}").json()
    assert (served["status"], served["total_cents"]) == ("done", 900)
    assert served["settled_at"] is not None


def test_waiting_ends_as_soon_as_the_order_is_settled(api, database, redis):
    """Whoever waits is told at once, long before the time is up."""
    order = place(api)
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = pool.submit(api.get, f"/orders/{order['id']}", params={"wait": 30})
        channel = f"orders:settled:{order['id']}"
        wait_until(lambda: dict(redis.pubsub_numsub(channel))[channel] == 1)
        settle(database, redis, order["id"], total_cents=900)

        assert waiting.result(timeout=5).json()["status"] == "done"


def test_waiting_leaves_nobody_listening(api, redis):
    """A wait that ran out answers with the pending order and gives up its subscription."""
    order = place(api)

    assert api.get(f"/orders/{order['id']}", params={"wait": 0.05}).json()["status"] == "pending"
    channel = f"orders:settled:{order['id']}"
    wait_until(lambda: dict(redis.pubsub_numsub(channel))[channel] == 0)


def test_products_are_kept_and_replaced(api):
    """PUT on a SKU adds the product, and again changes it."""
    sku = new_sku()
    product = {"name": "Mint, 50 g", "price_cents": 450, "stock": 25}
    api.put(f"/products/{sku}", json=product).raise_for_status()
    api.put(f"/products/{sku}", json=product | {"stock": 24}).raise_for_status()

    listed = [row for row in api.get("/products").json() if row["sku"] == sku]
    assert listed == [{"sku": sku, **product, "stock": 24}]


def test_the_latest_order_is_listed_first(api):
    """The list is newest first, by the database's own clock."""
    older, newer = place(api)["id"], place(api)["id"]

    listed = [order["id"] for order in api.get("/orders", params={"limit": 200}).json()]
    assert listed.index(newer) < listed.index(older)

"""An order's way through all services: browser, web server, api, queue, worker, database and back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

SETTLED_WITHIN_SECONDS = 10


@pytest.fixture
def tea(api) -> str:
    """A product nobody else orders: five pieces at 4.50 each."""
    sku = f"T-{uuid4().hex[:12].upper()}"
    api.put(
        f"/products/{sku}", json={"name": "Mint, 50 g", "price_cents": 450, "stock": 5}
    ).raise_for_status()
    return sku


def place(frontend, sku: str, quantity: int) -> dict:
    """Place an order as the page does."""
    return frontend.post("/api/orders", json={"sku": sku, "quantity": quantity}).raise_for_status().json()


def settled(client, path: str) -> dict:
    """Return the order at `path` as soon as the worker has settled it."""
    order = client.get(path, params={"wait": SETTLED_WITHIN_SECONDS}).raise_for_status().json()
    assert order["status"] != "pending", f"not settled within {SETTLED_WITHIN_SECONDS} s: {order}"
    return order


def stock(api, sku: str) -> int:
    return next(product["stock"] for product in api.get("/products").json() if product["sku"] == sku)


def test_an_order_placed_through_the_frontend_comes_back_done(frontend, api, tea):
    """The worker has priced it and taken it from stock."""
    placed = place(frontend, tea, 2)
    order = settled(frontend, f"/api/orders/{placed['id']}")

    assert (order["status"], order["total_cents"]) == ("done", 900)
    assert stock(api, tea) == 3


def test_the_location_of_an_order_leads_to_it_through_the_frontend(frontend, tea):
    """The api's answer holds behind the prefix it does not know of."""
    response = frontend.post("/api/orders", json={"sku": tea, "quantity": 1})
    location = response.url.join(response.headers["Location"])

    assert frontend.get(location).raise_for_status().json()["id"] == response.json()["id"]


def test_an_order_beyond_the_stock_comes_back_rejected(frontend, api, tea):
    """The customer reads why, and the stock is as it was."""
    order = settled(frontend, f"/api/orders/{place(frontend, tea, 6)['id']}")

    assert (order["status"], order["reason"]) == ("rejected", "only 5 in stock")
    assert stock(api, tea) == 5


def test_orders_at_the_same_time_never_oversell(frontend, api, tea):
    """Eight customers want one of five pieces: five get it."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        orders = list(pool.map(lambda _: place(frontend, tea, 1), range(8)))
        results = list(pool.map(lambda order: settled(api, f"/orders/{order['id']}")["status"], orders))

    assert sorted(results) == ["done"] * 5 + ["rejected"] * 3
    assert stock(api, tea) == 0


def test_the_frontend_serves_what_the_api_gives(frontend, api, tea):
    """The same order, product and list, whichever way one asks."""
    order = settled(api, f"/orders/{place(frontend, tea, 1)['id']}")

    assert frontend.get(f"/api/orders/{order['id']}").json() == order
    assert order in frontend.get("/api/orders", params={"limit": 200}).json()
    assert tea in [product["sku"] for product in frontend.get("/api/products").json()]


def test_the_frontend_passes_on_what_the_api_refuses(frontend):
    """The browser hears the api's own words, not the web server's."""
    response = frontend.post("/api/orders", json={"sku": "T", "quantity": 0})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "quantity"]


def test_what_the_api_shows_is_what_the_database_holds(frontend, database, tea):
    """The total a customer reads is the one on the books."""
    order = settled(frontend, f"/api/orders/{place(frontend, tea, 3)['id']}")

    row = database.execute("SELECT status, total_cents FROM orders WHERE id = %s", (order["id"],)).fetchone()
    assert row == ("done", order["total_cents"]) == ("done", 1350)

"""tasklib's tasks, and one of this project's own."""

import json
from itertools import cycle, islice
from urllib.error import URLError
from urllib.request import Request, urlopen

from invoke import Exit, task
from tasklib.tasks import namespace as ns

PRODUCTS = {
    "TEA-EARL": {"name": "Earl Grey, 100 g", "price_cents": 790, "stock": 40},
    "TEA-MINT": {"name": "Mint, 50 g", "price_cents": 450, "stock": 25},
    "POT-CAST": {"name": "Cast-iron pot", "price_cents": 6900, "stock": 2},
}


@task(name="seed-orders", help={"count": "how many orders to place", "url": "the api's address"})
def seed_orders(c, count=10, url="http://localhost:8000"):
    """Fill a running api with sample products and orders."""
    try:
        for sku, product in PRODUCTS.items():
            send("PUT", f"{url}/products/{sku}", product)
        for number, sku in enumerate(islice(cycle(PRODUCTS), count)):
            send("POST", f"{url}/orders", {"sku": sku, "quantity": 1 + number % 3})
    except URLError as error:
        raise Exit(f"{url}: {error.reason}. Is the dev stack up, or should --url name another?", 1) from error
    print(f"{len(PRODUCTS)} products, {count} orders")


def send(method, url, body):
    """Send `body` as JSON; an answer of 400 or more, or none, raises URLError."""
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps(body).encode(), headers, method=method), timeout=10):
        pass


ns.add_task(seed_orders)

"""Products, with everything kept in memory."""

from __future__ import annotations

import pytest

MINT = {"name": "Mint, 50 g", "price_cents": 450, "stock": 25}


def test_products_are_listed_by_sku(client):
    """The list is in a stable order, whatever order they were put in."""
    client.put("/products/TEA-MINT", json=MINT)
    client.put("/products/POT-CAST", json=MINT | {"name": "Cast-iron pot"})

    assert [product["sku"] for product in client.get("/products").json()] == ["POT-CAST", "TEA-MINT"]


def test_putting_a_product_again_replaces_it(client):
    """PUT is idempotent: one product a SKU, with the latest details."""
    client.put("/products/TEA-MINT", json=MINT)
    client.put("/products/TEA-MINT", json=MINT | {"price_cents": 480})

    assert client.get("/products").json() == [{"sku": "TEA-MINT", **MINT, "price_cents": 480}]


@pytest.mark.parametrize("wrong", [{"price_cents": -1}, {"stock": -1}, {"name": ""}, {"price_cents": 4.5}])
def test_a_product_that_makes_no_sense_is_refused(client, wrong):
    """What does not validate is answered with 422 and not kept."""
    assert client.put("/products/TEA-MINT", json=MINT | wrong).status_code == 422
    assert client.get("/products").json() == []


def test_a_sku_is_checked_in_the_path_too(client):
    """A SKU that no order could name cannot be put."""
    assert client.put("/products/tea mint", json=MINT).status_code == 422

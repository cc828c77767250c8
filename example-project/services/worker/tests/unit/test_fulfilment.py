"""What becomes of an order, decided without any neighbour."""

from __future__ import annotations

import pytest

from orders_worker.fulfilment import Done, Product, Rejected, decide, price


@pytest.mark.parametrize(
    ("price_cents", "quantity", "total"),
    [
        (450, 1, 450),
        (450, 9, 4050),
        (450, 10, 4050),  # the tenth piece brings the discount
        (0, 10, 0),
        (5, 11, 50),  # 49.5 cents
        (1_000_000, 1_000, 900_000_000),
    ],
)
def test_price(price_cents, quantity, total):
    """Pieces times price, a tenth less from ten pieces on, in whole cents."""
    assert price(price_cents, quantity) == total


def test_what_is_in_stock_is_done_at_its_price():
    """An order that can be met is met."""
    assert decide(Product(price_cents=450, stock=25), 2) == Done(900)


def test_the_last_pieces_can_be_ordered():
    """Stock may go down to nothing."""
    assert decide(Product(price_cents=450, stock=2), 2) == Done(900)


@pytest.mark.parametrize(
    ("product", "reason"),
    [
        (Product(price_cents=450, stock=1), "only 1 in stock"),
        (Product(price_cents=450, stock=0), "out of stock"),
        (None, "not sold here"),
    ],
)
def test_what_cannot_be_met_is_rejected_with_a_reason(product, reason):
    """The customer reads why; nothing is sent in part."""
    assert decide(product, 2) == Rejected(reason)

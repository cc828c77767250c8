"""What becomes of an order. Pure: no clock, no database. Money is whole cents."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BULK_DISCOUNT_PERCENT",
    "BULK_QUANTITY",
    "Done",
    "Outcome",
    "Product",
    "Rejected",
    "decide",
    "price",
]

BULK_QUANTITY = 10
BULK_DISCOUNT_PERCENT = 10


@dataclass(frozen=True)
class Product:
    """What the decision needs to know about a product."""

    price_cents: int
    stock: int


@dataclass(frozen=True)
class Done:
    """The order is taken from stock, at this price."""

    total_cents: int


@dataclass(frozen=True)
class Rejected:
    """The order is not taken; the customer reads why."""

    reason: str


Outcome = Done | Rejected


def decide(product: Product | None, quantity: int) -> Outcome:
    """Return what becomes of an order for `quantity` pieces of `product`; None is one we do not sell."""
    if product is None:
        return Rejected("not sold here")
    if product.stock < quantity:
        return Rejected(f"only {product.stock} in stock" if product.stock else "out of stock")
    return Done(price(product.price_cents, quantity))


def price(price_cents: int, quantity: int) -> int:
    """Return the price of `quantity` pieces, bulk discount taken off, a half cent rounded up."""
    full = price_cents * quantity
    if quantity < BULK_QUANTITY:
        return full
    return (full * (100 - BULK_DISCOUNT_PERCENT) + 50) // 100

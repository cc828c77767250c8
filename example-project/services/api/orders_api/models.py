"""What goes in and out of the api, as JSON. Money is whole cents."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

__all__ = ["NewOrder", "Order", "Product", "ProductDetails", "Sku", "Status"]

Sku = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$")]


class Status(StrEnum):
    """Where an order stands; `done` and `rejected` are final."""

    PENDING = "pending"
    DONE = "done"
    REJECTED = "rejected"


class ProductDetails(BaseModel):
    """A product as it is put under its SKU."""

    name: str = Field(min_length=1, max_length=200)
    price_cents: int = Field(ge=0, le=1_000_000)
    stock: int = Field(ge=0, le=1_000_000)


class Product(ProductDetails):
    """A product as it is listed."""

    sku: Sku


class NewOrder(BaseModel):
    """An order as it is placed."""

    sku: Sku
    quantity: int = Field(ge=1, le=1_000)


class Order(NewOrder):
    """An order as it stands: a total once it is done, a reason once it is rejected."""

    id: UUID
    status: Status
    total_cents: int | None
    reason: str | None
    created_at: datetime
    settled_at: datetime | None

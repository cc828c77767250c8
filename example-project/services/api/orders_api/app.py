"""The HTTP side: routes, and nothing decided in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse

from orders_api.backend import Backend
from orders_api.errors import QueueUnavailable
from orders_api.models import NewOrder, Order, Product, ProductDetails, Sku
from orders_api.orders import look_up, place

__all__ = ["create_app"]

router = APIRouter()


def current_backend(request: Request) -> Backend:
    backend: Backend = request.app.state.backend
    return backend


CurrentBackend = Annotated[Backend, Depends(current_backend)]


@router.get("/health")
async def health(backend: CurrentBackend, response: Response) -> dict[str, bool]:
    """200 while both neighbours answer, 503 otherwise; the body says which one does not."""
    neighbours = {"database": await backend.store.is_up(), "queue": await backend.jobs.is_up()}
    response.status_code = 200 if all(neighbours.values()) else 503
    return neighbours


@router.put("/products/{sku}")
async def put_product(sku: Sku, details: ProductDetails, backend: CurrentBackend) -> Product:
    """Add the product, or replace it."""
    product = Product(sku=sku, **details.model_dump())
    await backend.store.save_product(product)
    return product


@router.get("/products")
async def list_products(backend: CurrentBackend) -> list[Product]:
    """All products, by SKU."""
    return await backend.store.products()


@router.post("/orders", status_code=202)
async def post_order(order: NewOrder, backend: CurrentBackend, response: Response) -> Order:
    """Accept the order; where to follow it is in the Location header."""
    placed = await place(backend, order)
    # Relative to this request's own address, so it holds behind a proxy's prefix too.
    response.headers["Location"] = f"orders/{placed.id}"
    return placed


@router.get("/orders")
async def list_orders(
    backend: CurrentBackend, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[Order]:
    """The latest orders, newest first."""
    return await backend.store.orders(limit)


@router.get("/orders/{order_id}")
async def get_order(
    order_id: UUID, backend: CurrentBackend, wait: Annotated[float, Query(ge=0, le=30)] = 0
) -> Order:
    """The order; with `wait`, answered as soon as it is settled, after that many seconds at the latest."""
    order = await look_up(backend, order_id, wait)
    if order is None:
        raise HTTPException(404, f"no order {order_id}")
    return order


async def queue_unavailable(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the queue cannot be reached, try again later"}, 503, {"Retry-After": "5"})


def create_app(open_backend: Callable[[], AbstractAsyncContextManager[Backend]]) -> FastAPI:
    """Return the application; the backend is opened when it starts and closed when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_backend() as backend:
            app.state.backend = backend
            yield

    app = FastAPI(title="Orders", lifespan=lifespan)
    app.include_router(router)
    app.add_exception_handler(QueueUnavailable, queue_unavailable)
    return app

"""Placing orders and looking them up, with everything kept in memory."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

TEA = {"sku": "TEA-MINT", "quantity": 2}


def test_an_order_is_accepted_as_pending_and_queued(client, jobs):
    """The answer says where to follow the order, and the worker is told about it."""
    response = client.post("/orders", json=TEA)

    assert response.status_code == 202
    order = response.json()
    assert order["status"] == "pending"
    assert response.headers["Location"] == f"orders/{order['id']}"
    assert jobs.submitted == [UUID(order["id"])]


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 0},
        {"quantity": 1001},
        {"quantity": "some"},
        {"sku": ""},
        {"sku": "tea mint"},
        {"sku": "A" * 33},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(client, jobs, wrong):
    """What does not validate is answered with 422, and neither kept nor queued."""
    assert client.post("/orders", json=TEA | wrong).status_code == 422
    assert client.get("/orders").json() == []
    assert jobs.submitted == []


def test_an_order_that_cannot_be_queued_does_not_stay_pending(client, jobs):
    """Without a queue the client hears 503, and the order is kept as rejected."""
    jobs.up = False
    response = client.post("/orders", json=TEA)

    assert response.status_code == 503
    assert response.headers["Retry-After"]
    (order,) = client.get("/orders").json()
    assert (order["status"], order["reason"]) == ("rejected", "could not be queued")


def test_orders_are_listed_newest_first_up_to_the_limit(client):
    """The list is a page of the latest orders."""
    placed = [
        client.post("/orders", json=TEA | {"quantity": quantity}).json()["id"] for quantity in (1, 2, 3)
    ]

    listed = [order["id"] for order in client.get("/orders", params={"limit": 2}).json()]
    assert listed == [placed[2], placed[1]]


def test_an_unknown_order_is_not_found(client):
    """The answer names the id that was asked for."""
    missing = uuid4()
    response = client.get(f"/orders/{missing}", params={"wait": 5})

    assert response.status_code == 404
    assert str(missing) in response.json()["detail"]


def test_without_wait_a_pending_order_is_answered_at_once(client, jobs):
    """Nobody listens for an order unless asked to."""
    placed = client.post("/orders", json=TEA).json()

    assert client.get(f"/orders/{placed['id']}").json() == placed
    assert jobs.waits == []


def test_wait_answers_with_the_order_as_it_was_settled(client, store, jobs):
    """The order is read again after the wait, which is as long as asked for."""
    placed = client.post("/orders", json=TEA).json()
    jobs.on_waiting = lambda order_id: store.finish(order_id, total_cents=900)

    order = client.get(f"/orders/{placed['id']}", params={"wait": 5}).json()
    assert (order["status"], order["total_cents"]) == ("done", 900)
    assert jobs.waits == [5]


def test_an_order_settled_just_before_listening_is_not_waited_for(client, store, jobs):
    """The announcement may be over by the time anyone listens: the order is read once more first."""
    placed = client.post("/orders", json=TEA).json()
    jobs.on_listening = lambda order_id: store.finish(order_id, total_cents=900)

    assert client.get(f"/orders/{placed['id']}", params={"wait": 5}).json()["status"] == "done"
    assert jobs.waits == []


def test_an_order_nobody_settles_is_answered_as_pending(client):
    """Time running out is no error."""
    placed = client.post("/orders", json=TEA).json()

    response = client.get(f"/orders/{placed['id']}", params={"wait": 1})
    assert response.status_code == 200
    assert response.json()["status"] == "pending"


@pytest.mark.parametrize("wait", [-1, 31])
def test_a_wait_has_bounds(client, wait):
    """Nobody holds a connection for longer than half a minute."""
    assert client.get(f"/orders/{uuid4()}", params={"wait": wait}).status_code == 422

"""What the api says about itself, and what it needs to start."""

from __future__ import annotations

import pytest

from orders_api.settings import Settings


def test_healthy_while_both_neighbours_answer(client):
    """200 is what health checks look for."""
    assert client.get("/health").status_code == 200


def test_unhealthy_names_the_neighbour_that_does_not_answer(client, store):
    """503, and the body says which one it is."""
    store.up = False
    response = client.get("/health")

    assert response.status_code == 503
    assert response.json() == {"database": False, "queue": True}


def test_settings_name_every_missing_variable():
    """One look at the log is enough to mend the configuration."""
    with pytest.raises(SystemExit, match="not set: DATABASE_URL, REDIS_URL"):
        Settings.read({"DATABASE_URL": ""})

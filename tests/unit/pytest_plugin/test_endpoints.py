"""Where services are, read from the variables of a test process."""

from __future__ import annotations

import pytest

from tasklib.pytest_plugin.endpoints import find_endpoint, find_endpoints

VARIABLES = {
    "TEST_API_URL": "http://127.0.0.1:32768",
    "TEST_API_HOST": "127.0.0.1",
    "TEST_API_PORT": "32768",
    "TEST_API_PORT_8000": "32768",
    "TEST_API_PORT_9000": "32769",
    "TEST_PRICE_DB_URL": "postgresql://test:test@127.0.0.1:32770/prices",
    "TEST_BROKEN_URL": "http://[::1",
    "TEST_WRONG_URL": "http://127.0.0.1",
    "TEST_WRONG_PORT": "eight",
    "TEST_INSTANCE_ID": "main",
}


def test_every_endpoint_by_its_name() -> None:
    """The address comes from the variables, else from the URL; what cannot be read is none."""
    found = find_endpoints(VARIABLES)
    assert list(found) == ["api", "price_db"]
    assert found["api"][:4] == ("api", "127.0.0.1", 32768, "http://127.0.0.1:32768")
    assert found["api"].ports == {8000: 32768, 9000: 32769}
    assert (found["price_db"].host, found["price_db"].port) == ("127.0.0.1", 32770)
    assert str(found["price_db"]) == VARIABLES["TEST_PRICE_DB_URL"]


@pytest.mark.parametrize("name", ["price-db", "price_db", "Price.DB"])
def test_a_service_is_found_however_its_name_is_written(name: str) -> None:
    """As Compose writes it, and as the variable does."""
    assert find_endpoint(name, find_endpoints(VARIABLES)).port == 32770


def test_one_that_is_not_there_is_told_plainly() -> None:
    """With the variable that is missing, what there is, and how to get it."""
    with pytest.raises(pytest.fail.Exception) as caught:
        find_endpoint("web", find_endpoints(VARIABLES))
    said = str(caught.value)
    assert "no endpoint of 'web': TEST_WEB_URL is not set. Known: api, price_db." in said
    assert "infra.up" in said

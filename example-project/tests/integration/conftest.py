"""The running full stack: the addresses that the environment names, and clients on them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx2
import psycopg
import pytest


def endpoint(variable: str) -> str:
    """Return what `variable` holds, or fail the test with what to do."""
    url = os.environ.get(variable)
    if not url:
        pytest.fail(f"{variable} is not set: bring the stack up and name its address there", pytrace=False)
    return url


@pytest.fixture(scope="session")
def api() -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=endpoint("TEST_API_URL"), timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def frontend() -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=endpoint("TEST_FRONTEND_URL"), timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def database() -> Iterator[psycopg.Connection]:
    with psycopg.connect(endpoint("TEST_DATABASE_URL"), autocommit=True) as connection:
        yield connection

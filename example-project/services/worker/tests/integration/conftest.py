"""The running stack: the addresses that the environment names, and clients on them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from redis import Redis


def endpoint(variable: str) -> str:
    """Return what `variable` holds, or fail the test with what to do."""
    url = os.environ.get(variable)
    if not url:
        pytest.fail(f"{variable} is not set: bring the stack up and name its address there", pytrace=False)
    return url


@pytest.fixture(scope="session")
def database() -> Iterator[psycopg.Connection]:
    with psycopg.connect(endpoint("TEST_DATABASE_URL"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    with Redis.from_url(endpoint("TEST_REDIS_URL"), decode_responses=True) as client:
        yield client

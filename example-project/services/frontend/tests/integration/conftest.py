"""The running stack: the address that the environment names, and a client on it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx2
import pytest


@pytest.fixture(scope="session")
def frontend() -> Iterator[httpx2.Client]:
    url = os.environ.get("TEST_FRONTEND_URL")
    if not url:
        pytest.fail(
            "TEST_FRONTEND_URL is not set: bring the stack up and name its address there", pytrace=False
        )
    with httpx2.Client(base_url=url, timeout=10) as client:
        yield client

"""Fixtures that tell where the services of a stack are.

They read the variables that tasklib sets for a test process (``TEST_API_URL`` …) and nothing else,
so they work as well where the variables come from elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tasklib import waiting
from tasklib.options.caller import hint

__all__ = [
    "Endpoint",
    "endpoint",
    "endpoints",
    "find_endpoint",
    "find_endpoints",
    "instance_id",
    "wait_for",
]


class Endpoint(NamedTuple):
    """Where a service of the stack is reachable from the tests.

    ``ports`` are the published ports by container port; ``str(endpoint)`` is its URL.
    """

    name: str
    host: str
    port: int
    url: str
    ports: Mapping[int, int] = MappingProxyType({})

    def __str__(self) -> str:
        return self.url


@pytest.fixture(scope="session")
def endpoints() -> Mapping[str, Endpoint]:
    """Every endpoint there is: that of TEST_PRICE_DB_URL as ``price_db``."""
    return find_endpoints(os.environ)


@pytest.fixture(scope="session")
def endpoint(endpoints: Mapping[str, Endpoint]) -> Callable[[str], Endpoint]:
    """``endpoint("api")`` is the service's endpoint; the test fails plainly where there is none."""
    return lambda name: find_endpoint(name, endpoints)


@pytest.fixture(scope="session")
def instance_id() -> str:
    """The id that keeps this checkout's stacks apart from others'."""
    found = os.environ.get("TEST_INSTANCE_ID", "")
    if not found:
        pytest.fail(_missing("TEST_INSTANCE_ID", "no instance"), pytrace=False)
    return found


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., object]:
    """:func:`tasklib.waiting.wait_for`: return as soon as a condition holds."""
    return waiting.wait_for


def find_endpoints(environment: Mapping[str, str]) -> Mapping[str, Endpoint]:
    """Every endpoint that the variables in ``environment`` tell, by its name in lower case."""
    names = [match[1] for name in environment if (match := re.fullmatch(r"TEST_([A-Z0-9_]+)_URL", name))]
    found = (_endpoint(name, environment) for name in sorted(names))
    return MappingProxyType({each.name: each for each in found if each})


def find_endpoint(name: str, known: Mapping[str, Endpoint]) -> Endpoint:
    """The endpoint of the service ``name``; the test fails plainly where there is none."""
    key = re.sub(r"[^a-z0-9]", "_", name.lower())
    if key not in known:
        pytest.fail(_missing(f"TEST_{key.upper()}_URL", f"no endpoint of {name!r}", known), pytrace=False)
    return known[key]


def _endpoint(name: str, environment: Mapping[str, str]) -> Endpoint | None:
    url = environment[f"TEST_{name}_URL"]
    try:
        parts = urlsplit(url)
        host = environment.get(f"TEST_{name}_HOST") or parts.hostname or ""
        port = int(environment.get(f"TEST_{name}_PORT") or parts.port or 0)
        pattern = re.compile(rf"TEST_{name}_PORT_(\d+)")
        named = ((pattern.fullmatch(variable), value) for variable, value in environment.items())
        ports = {int(match[1]): int(value) for match, value in named if match}
    except ValueError:
        return None
    return Endpoint(name.lower(), host, port, url, MappingProxyType(ports))


def _missing(variable: str, what: str, known: Mapping[str, Endpoint] = MappingProxyType({})) -> str:
    others = f" Known: {', '.join(known)}." if known else ""
    return (
        f"{what}: {variable} is not set.{others}\n"
        f"Run the tests with `{hint('test.service')}` or `{hint('test.integration')}`, or bring the stack up "
        f"with `{hint('infra.up')}` and take its variables from `{hint('infra.env')}`."
    )

"""The pytest plugin of projects that install tasklib beside their tests: ``--integration`` and endpoints.

The fixtures read the variables that tasklib sets for a test process (``TEST_API_URL`` …) and nothing else,
so they work as well where the variables come from elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tasklib import waiting

__all__ = ["Endpoint", "endpoint", "endpoints", "instance_id", "wait_for"]


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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Generator[None, object, object]:
    # Defining an option that a conftest defines too would end pytest: look once they are loaded.
    result = yield
    try:
        unknown = parser.parse_known_and_unknown_args(["--integration"])[1]
    except Exception:
        return result  # Known, and it wants a value.
    if "--integration" in unknown:
        parser.addoption(
            "--integration", action="store_true", default=False, help="run against real services"
        )
    return result


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fullstack: a service's test that needs the full stack")


@pytest.fixture(scope="session")
def endpoints() -> Mapping[str, Endpoint]:
    """Every endpoint there is: that of TEST_PRICE_DB_URL as ``price_db``."""
    names = [match[1] for name in os.environ if (match := re.fullmatch(r"TEST_([A-Z0-9_]+)_URL", name))]
    found = (_endpoint(name, os.environ) for name in sorted(names))
    return MappingProxyType({each.name: each for each in found if each})


@pytest.fixture(scope="session")
def endpoint(endpoints: Mapping[str, Endpoint]) -> Callable[[str], Endpoint]:
    """``endpoint("api")`` is the service's endpoint; the test fails plainly where there is none."""

    def find(name: str) -> Endpoint:
        key = re.sub(r"[^a-z0-9]", "_", name.lower())
        if key not in endpoints:
            pytest.fail(
                _missing(f"TEST_{key.upper()}_URL", f"no endpoint of {name!r}", endpoints), pytrace=False
            )
        return endpoints[key]

    return find


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
        "Run the tests with `invoke test.service` or `invoke test.integration`, or bring the stack up with "
        "`invoke infra.up` and take its variables from `invoke infra.env`."
    )

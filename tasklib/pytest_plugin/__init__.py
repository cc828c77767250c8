"""The pytest plugin: ``--integration``, ``--stack``, and fixtures for endpoints and the stack behind them.

Nothing of a stack is imported before one is asked for.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tasklib.pytest_plugin.borrowing import STACKS, Borrowing, borrowing_of, is_asked
from tasklib.pytest_plugin.databases import (
    Database,
    _clones,
    _stack_of_databases,
    database_service,
    fresh_database,
    worker_database,
)
from tasklib.pytest_plugin.endpoints import Endpoint, endpoint, endpoints, instance_id, wait_for
from tasklib.pytest_plugin.stack import Stack, stack

__all__ = [
    "Database",
    "Endpoint",
    "Stack",
    "_clones",
    "_stack_of_databases",
    "database_service",
    "endpoint",
    "endpoints",
    "fresh_database",
    "instance_id",
    "stack",
    "wait_for",
    "worker_database",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "the stack to bring up: the service's own, the full one, or (auto) what the tests' folders tell"
    group = parser.getgroup("tasklib")
    group.addoption("--stack", choices=STACKS, default=None, help=text)
    # Not `--fresh` as elsewhere: an option that a conftest defines too would end pytest.
    text = "a stack that was kept gets new data stores"
    group.addoption("--stack-fresh", action="store_true", default=False, help=text)
    parser.addini("tasklib_stack", f"as --stack: {', '.join(STACKS)}", default="")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser
) -> Generator[None, object, object]:
    # Before any conftest is loaded: it may read the variables. And before output is captured.
    borrowing = Borrowing(early_config)
    early_config.pluginmanager.register(borrowing, Borrowing.NAME)
    early_config.add_cleanup(borrowing.close)
    if is_asked(early_config):
        borrowing.begin()
    result = yield
    # Defining an option that a conftest defines too would end pytest: look once they are loaded.
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
    borrowing_of(config).configured()

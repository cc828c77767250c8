"""The fixtures ``fresh_database`` and ``worker_database``, with the stack that their copies are in."""

from __future__ import annotations

import pytest

from tasklib.pipeline.inject.tasklib_in_pytest.databases import (
    Database,
    _clones,
    database_service,
    fresh_database,
    worker_database,
)
from tasklib.pytest_plugin.stack import Stack

__all__ = [
    "Database",
    "_clones",
    "_stack_of_databases",
    "database_service",
    "fresh_database",
    "worker_database",
]


@pytest.fixture(scope="session")
def _stack_of_databases(stack: Stack) -> None:
    """Has the stack up."""

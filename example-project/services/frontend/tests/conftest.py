"""`--integration`: the tests in tests/integration run only against a stack that somebody brought up."""

from __future__ import annotations

from pathlib import Path

import pytest

INTEGRATION = Path(__file__).parent / "integration"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--integration", action="store_true", help="run the tests that need a running stack")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--integration"):
        return
    skipped = pytest.mark.skip(reason="needs a running stack and --integration")
    for item in items:
        if INTEGRATION in item.path.parents:
            item.add_marker(skipped)

"""The fixture ``stack``: the running stack of these tests, whoever brought it up."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest

from tasklib.errors import TasklibError
from tasklib.pytest_plugin.borrowing import borrowing_of
from tasklib.pytest_plugin.endpoints import Endpoint, find_endpoint, find_endpoints

__all__ = ["Stack", "stack"]


class Stack:
    """A running stack: ``project_name`` is its Compose project, ``instance_id`` whose it is."""

    def __init__(self, read_logs: Callable[[float], tuple[str, ...]]) -> None:
        self.project_name = os.environ.get("COMPOSE_PROJECT_NAME", "")
        self.instance_id = os.environ.get("TEST_INSTANCE_ID", "")
        self._read_logs = read_logs

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Every endpoint by the name of its Compose service (``price_db``)."""
        return find_endpoints(os.environ)

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint of a Compose service; the test fails plainly where it has none."""
        return find_endpoint(name, self.endpoints)

    def url(self, name: str) -> str:
        return self.endpoint(name).url

    def logs(self, since: float = 0.0) -> tuple[str, ...]:
        """The last lines of every container from ``since`` (seconds since the epoch) on, after its name."""
        return self._read_logs(since)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Stack:
    """The stack of these tests. Where none is up yet, it is brought up now, as ``--stack auto`` would."""
    borrowing = borrowing_of(request.config)
    paths = {item.path for item in request.session.items if "stack" in getattr(item, "fixturenames", ())}
    try:
        borrowing.need(sorted(paths))
    except TasklibError as error:
        pytest.fail("\n".join([*getattr(error, "logs", ()), str(error)]), pytrace=False)
    return Stack(borrowing.logs)

"""Projects with dev and prod stacks of their own names, volumes and ports."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import docker.errors
import pytest

from ..traces import Traces

FreePort = Callable[[], int]


@pytest.fixture
def free_port() -> FreePort:
    """``free_port()`` is a port of 127.0.0.1 that nothing listens on, another one at each call."""
    known: set[int] = set()

    def find() -> int:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            if port not in known:
                known.add(port)
                return port

    return find


@pytest.fixture
def lasting(engine: Any, traces: Traces) -> Iterator[Callable[[], list[str]]]:
    """``lasting()`` are the volumes of this test: they stay when a stack goes, and go when the test ends."""

    def names() -> list[str]:
        return sorted(row["Name"] for row in traces.volumes())

    yield names
    for row in traces.containers():
        with contextlib.suppress(docker.errors.APIError):
            engine.remove_container(row["Id"], force=True, v=True)
    for row in traces.networks():
        with contextlib.suppress(docker.errors.APIError):
            engine.remove_network(row["Id"])
    for name in names():
        with contextlib.suppress(docker.errors.APIError):
            engine.remove_volume(name, force=True)
    # A build of what changed leaves the image before nameless, as plain Compose does.
    for image in traces.dangling():
        with contextlib.suppress(docker.errors.APIError):
            engine.remove_image(image, force=True)

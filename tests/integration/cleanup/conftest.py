"""No command outlives its test, even one that fails."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ..conftest import NewProject
from ..projects import Checkout
from ..traces import Traces
from .support import FILES, STARTED, ByHand


@pytest.fixture(autouse=True)
def no_stragglers(tmp_path: object) -> Iterator[None]:
    yield
    while STARTED:
        run = STARTED.pop()
        if run.process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(run.process.pid, signal.SIGKILL)
            run.process.wait()


@pytest.fixture
def shop(project: NewProject) -> Checkout:
    """A project whose only target goes on until it is told to end."""
    return project(FILES)


@pytest.fixture
def by_hand(engine: Any, traces: Traces) -> Iterator[ByHand]:
    """``by_hand(image, name, labels)`` starts a container that tasklib knows nothing of."""
    started: list[str] = []

    def start(image: str, name: str, labels: Mapping[str, str] | None = None) -> str:
        made = engine.create_container(image, ["sleep", "600"], name=name, labels=labels or {}, entrypoint="")
        started.append(made["Id"])
        engine.start(made["Id"])
        return str(made["Id"])

    yield start
    for container in started:
        engine.remove_container(container, force=True, v=True)

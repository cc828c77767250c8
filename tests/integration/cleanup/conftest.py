"""No command outlives its test, even one that fails."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest

from ..conftest import NewProject
from ..projects import Checkout
from .support import FILES, STARTED


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

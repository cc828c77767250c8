"""New projects, each with a name and a branch of its own on the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ..environments.conftest import free_port, lasting
from ..projects import Checkout, command_environment
from ..traces import Traces

__all__ = ["NewlyMade", "free_port", "lasting", "newly_made"]

NewlyMade = Callable[..., Checkout]


@pytest.fixture
def newly_made(tmp_path: Path, token: str, state: Path, traces: Traces) -> NewlyMade:
    """``newly_made("--single")`` types `new.project` with these options in an empty folder.

    What comes of it is committed, on a branch that this test alone has.
    """

    def make(*options: str) -> Checkout:
        around = tmp_path / "around"
        around.mkdir()
        name, env = f"shop{token}", command_environment(state)
        made = Checkout(around, "", env).run("tasklib", "new.project", name, *options)
        assert made.code == 0, made
        assert [path.name for path in around.iterdir()] == [name]
        checkout = Checkout(around / name, f"feature/{token}", env)
        checkout.commit()
        checkout.git("checkout", "-q", "-b", checkout.branch)
        return checkout

    return make

"""Repositories with a history, for what compares with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..projects import Checkout, command_environment, copy_example
from .registry import Registry


@pytest.fixture
def history(tmp_path: Path) -> Checkout:
    """example-project as the first commit on ``main``, with a branch ``work`` checked out."""
    root = tmp_path / "example"
    root.mkdir()
    made = Checkout(root, "work", command_environment(tmp_path / "state"))
    made.git("init", "-q", "-b", "main")
    copy_example(root, "tests.release")
    made.commit()
    made.git("switch", "-q", "-c", "work")
    return made


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty image registry."""
    made = Registry(tmp_path / "registry")
    yield made
    made.kill()

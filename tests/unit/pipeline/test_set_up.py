"""What is done on a stack before its tests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tasklib.pipeline.containers import Beside
from tasklib.pipeline.suites.python import uv
from tasklib.process import Cancel
from tasklib.project import Step
from tasklib.results import Stage, Target


def test_a_step_may_start_the_uv_that_tasklib_came_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where PATH has none, as where tasklib was installed by pipx."""
    own = tmp_path / "own-uv"
    own.write_text('#!/bin/sh\necho "$@" > said\n')
    own.chmod(0o755)
    monkeypatch.setattr(uv, "program", lambda: str(own))
    stack = cast("Any", SimpleNamespace(plan=SimpleNamespace(title="the stack", ready_timeout=60.0)))
    target = Target(Stage.SERVICE, "api")
    beside = Beside(stack, target, tmp_path, {}, {}, None, lambda event: None, Cancel())
    beside.set_up((Step(("uv", "run", "seed")),), {"PATH": str(tmp_path / "nothing")}, {})
    assert (tmp_path / "said").read_text() == "run seed\n"

"""What is done on a stack before its tests."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tasklib.errors import ConfigError, StackError
from tasklib.pipeline.containers import Beside
from tasklib.pipeline.set_up import set_up
from tasklib.pipeline.suites.python import uv
from tasklib.pipeline.suites.suite import Preparation, Suite
from tasklib.process import Cancel
from tasklib.project import Project, StageTests, Step
from tasklib.results import Stage, Target


def _beside(folder: Path) -> Beside:
    stack = cast("Any", SimpleNamespace(plan=SimpleNamespace(title="the stack", ready_timeout=60.0)))
    target = Target(Stage.SERVICE, "api")
    return Beside(stack, target, folder, {}, {}, None, lambda event: None, Cancel())


def _suite(folder: Path, install: str) -> Suite:
    (folder / "lock").touch()
    preparation = Preparation(("sh", "-c", install), folder, folder / "lock", folder / "installed")
    said = SimpleNamespace(
        target=Target(Stage.SERVICE, "api"), prepare=(preparation,), env={}, unset=frozenset()
    )
    return cast("Suite", said)


def test_what_the_tests_need_is_installed_before_a_step(tmp_path: Path) -> None:
    """A new worktree has nothing yet: migrations are run by what its lock file lists."""
    steps = (Step(("cat", "installed")),)
    _beside(tmp_path).set_up(steps, os.environ, {}, lambda: _suite(tmp_path, "echo tool > installed"))
    assert (tmp_path / "installed").exists()


def test_what_cannot_be_installed_is_told_instead_of_the_step(tmp_path: Path) -> None:
    """As it is told of tests."""
    with pytest.raises(ConfigError, match="no such package"):
        _beside(tmp_path).set_up(
            (Step(("touch", "done")),),
            os.environ,
            {},
            lambda: _suite(tmp_path, "echo no such package; exit 1"),
        )
    assert not (tmp_path / "done").exists()


def test_a_stack_is_brought_up_for_tests_that_nobody_can_plan(tmp_path: Path) -> None:
    """Whoever starts it by hand wants the stack and its setup: what would run the tests is no matter."""
    (tmp_path / "tests").mkdir()
    tests = StageTests((tmp_path / "tests",), setup=(Step(("touch", "done")),))
    project = Project(tmp_path, "shop", integration=tests)
    plan = SimpleNamespace(title="the stack", name=None, ready_timeout=60.0)
    held = cast("Any", SimpleNamespace(stack=SimpleNamespace(plan=plan, project="test-main"), since=None))
    context = cast("Any", SimpleNamespace(environment={}, engine=None))
    set_up(project, held, context, {}, lambda event: None, Cancel())
    assert (tmp_path / "done").exists()


def test_steps_in_containers_need_nothing_here(tmp_path: Path) -> None:
    """So that nothing is planned for them."""

    def never() -> Suite:
        raise AssertionError

    def there(*_: object) -> Any:
        raise StackError("no container")

    beside = _beside(tmp_path)
    cast("Any", beside.stack).inside = there
    with pytest.raises(StackError, match="no container"):
        beside.set_up((Step(("migrate",), inside="api"),), os.environ, {}, never)


def test_a_step_may_start_the_uv_that_tasklib_came_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where PATH has none, as where tasklib was installed by pipx."""
    own = tmp_path / "own-uv"
    own.write_text('#!/bin/sh\necho "$@" > said\n')
    own.chmod(0o755)
    monkeypatch.setattr(uv, "program", lambda: str(own))
    _beside(tmp_path).set_up((Step(("uv", "run", "seed")),), {"PATH": str(tmp_path / "nothing")}, {})
    assert (tmp_path / "said").read_text() == "run seed\n"

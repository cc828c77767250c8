"""Where the reaper dies too, the next run on the machine removes what is known to be left, nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ..conftest import NewProject
from ..projects import Checkout
from ..traces import Traces
from .support import FILES, Run, gone_within, kill_with_reaper, marks_of


@pytest.fixture
def killed(shop: Checkout, traces: Traces, state: Path) -> Run:
    """A run that was lost during its tests, its reaper with it; its stack still runs."""
    run = Run(shop, "tasklib", "test.service")
    run.until(lambda: (run.marks / "testing").exists())
    kill_with_reaper(run, state)
    assert traces.states() == {"running"}
    return run


def edit_process(state: Path, **changes: Any) -> None:
    """Change what the only recorded run says of its process."""
    (path,) = state.glob("tasklib/runs/*/*.json")
    record = json.loads(path.read_text())
    record["process"].update(changes)
    path.write_text(json.dumps(record))


def test_any_command_removes_it(killed: Run, project: NewProject, traces: Traces, state: Path) -> None:
    """A look at another project is enough, and says what it removed."""
    other = project({"pyproject.toml": "", **FILES}, branch="other-{token}", name="other")
    ran = other.run("tasklib", "infra.status", env={"TMPDIR": str(state.parent / "tmp")})
    assert ran.code == 0, ran
    assert f"removed test-feature-{traces.token}_api, left by a run that was killed" in ran.err
    assert not gone_within(traces, state)
    assert "left by" not in other.run("tasklib", "infra.status").err
    assert not list(state.glob("tasklib/runs/*/*.json"))


def test_the_same_tests_again_pass(killed: Run, shop: Checkout, traces: Traces, state: Path) -> None:
    """Nothing of the lost run is in the way of the next one."""
    (marks_of(shop) / "end").write_text("0")
    again = Run(shop, "tasklib", "test.service")
    assert again.wait() == 0, again.text
    assert not gone_within(traces, state)


def test_a_recycled_pid_saves_nothing(killed: Run, shop: Checkout, traces: Traces, state: Path) -> None:
    """The pid of the dead run may be a living process by now: its start time tells them apart."""
    edit_process(state, pid=os.getpid())
    assert "left by a run that was killed" in shop.run("tasklib", "infra.status").err
    assert not traces.left()


def test_another_boot_is_death(killed: Run, shop: Checkout, traces: Traces, state: Path) -> None:
    """Whatever ran before the machine started anew is gone."""
    edit_process(state, boot_id="another", pid=os.getpid())
    assert "left by a run that was killed" in shop.run("tasklib", "infra.status").err
    assert not traces.left()


@pytest.mark.parametrize("fact", ["host", "pid_namespace"])
def test_unknown_is_alive(killed: Run, shop: Checkout, traces: Traces, state: Path, fact: str) -> None:
    """A run on another machine, or in another container, is nobody's to judge; only --force removes it."""
    edit_process(state, **{fact: "another"})
    assert "left by" not in shop.run("tasklib", "infra.status").err
    assert traces.states() == {"running"}
    assert shop.run("tasklib", "clean").code == 2
    assert shop.run("tasklib", "clean", "--force").code == 0
    assert not traces.left()
    assert shop.run("tasklib", "clean").code == 0, "it blocks nobody any more"


def test_a_kept_stack_is_not_swept(shop: Checkout, traces: Traces, state: Path) -> None:
    """A run that dies after it kept its stack leaves it kept."""
    run = Run(shop, "tasklib", "test.service", "--keep")
    run.until(lambda: (run.marks / "testing").exists())
    kill_with_reaper(run, state)
    assert "left by" not in shop.run("tasklib", "infra.status").err
    assert traces.states() == {"running"}
    assert shop.run("tasklib", "clean").code == 0
    assert not traces.left()

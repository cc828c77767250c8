"""What the next run removes of one that died together with its reaper."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from tasklib.process import Cancel
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.holding.sweep import sweep
from tasklib.stacks.plan import StackPlan
from tasklib.state.records import Run
from tests.memory_engine import MemoryEngine

from .conftest import NewRun


def test_what_is_made_by_hand_after_a_run_has_died_stays(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan, tmp_path: Path
) -> None:
    """Its stack goes; a shell that has the variables of a stack may have started something in its project."""
    context = new_run()
    held = HeldStack(context, plan)
    held.stack.prepare(Cancel())
    held.up(Cancel())
    run = context.runs.get(context.run_id)
    assert isinstance(run, Run)
    context.runs.start(replace(run, process=replace(run.process, start_time="1")))
    context.lock(held.project).path.unlink()  # The kernel frees it.
    folder = {"com.docker.compose.project.working_dir": str(tmp_path)}
    engine.add_container(held.project, "by-hand", labels=folder)
    engine.add_volume("data", {"com.docker.compose.project": held.project})
    assert sweep(engine, context.state) == (held.project,)
    left = engine.owned({"com.docker.compose.project": held.project})
    assert sorted(found.kind for found in left) == ["container", "volume"]

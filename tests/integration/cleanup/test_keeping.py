"""What is kept on purpose stays, whatever ends the run; what was not kept yet goes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from ..projects import Checkout
from ..traces import Traces, processes_of, until
from .support import FILES, Run, gone_within, scenes

SCENES = scenes()


@pytest.mark.parametrize(
    ("phase", "number"),
    [("build", signal.SIGINT), ("create", signal.SIGKILL), ("wait", signal.SIGINT), ("wait", signal.SIGKILL)],
)
def test_infra_up_cut_off_leaves_nothing(
    shop: Checkout, traces: Traces, state: Path, phase: str, number: signal.Signals
) -> None:
    """A stack is kept once it is ready, not before."""
    shop.write(SCENES[phase].files)
    run = Run(shop, "tasklib", "infra.up", "--name", "api", env=SCENES[phase].env)
    run.until(lambda: SCENES[phase].reached(traces, run.marks, state))
    run.send(number)
    assert run.wait() == (-number if number == signal.SIGKILL else 130), run.text
    assert not gone_within(traces, state)
    assert "nothing is up" in shop.run("tasklib", "infra.status").out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_keep_outlives_what_ends_the_tests(
    shop: Checkout, traces: Traces, state: Path, number: signal.Signals
) -> None:
    """With --keep a stack that was ready stays, also where the run is interrupted or killed."""
    run = Run(shop, "tasklib", "test.service", "--keep")
    run.until(lambda: (run.marks / "testing").exists())
    run.send(number, group=True)
    run.wait()
    assert until(lambda: not processes_of(state), 10), processes_of(state)
    assert traces.states() == {"running"}

    again = Run(shop, "tasklib", "test.service")
    (run.marks / "end").write_text("0")
    assert again.wait() == 0, again.text
    assert traces.states() == {"running"}, "kept by the run before, so no later run takes it down"
    assert shop.run("tasklib", "infra.down").code == 0
    assert not traces.left()


def test_keep_leaves_a_stack_that_is_not_ready_to_look_at(shop: Checkout, traces: Traces) -> None:
    """Who asks to keep a stack wants to know why it does not come up; an interrupt is not a failure."""
    shop.write(
        {
            **SCENES["wait"].files,
            "pyproject.toml": f"{FILES['pyproject.toml']}\n[tool.tasklib.timeout]\nready = 2\n",
        }
    )
    ran = shop.run("tasklib", "test.service", "--keep")
    assert ran.code == 4, ran
    assert "running" in traces.states()
    assert shop.run("tasklib", "clean").code == 0
    assert not traces.left()


def test_a_kept_stack_that_was_removed_by_hand_is_not_kept_any_more(
    shop: Checkout, traces: Traces, engine: object
) -> None:
    """The record alone keeps nothing: the next test run's stack goes with the run."""
    assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
    traces.remove()
    run = Run(shop, "tasklib", "test.service")
    (run.marks / "end").write_text("0")
    assert run.wait() == 0, run.text
    assert not traces.left()

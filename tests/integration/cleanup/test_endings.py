"""Whatever ends a run, in whichever phase, nothing of it is left a moment later."""

from __future__ import annotations

import contextlib
import signal
import textwrap
from pathlib import Path
from typing import Any

import pexpect
import pytest

from ..projects import Checkout
from ..traces import Traces, until
from .support import FILES, Run, Scene, gone_within, in_terminal, marks_of, scenes

TASKLIB = ("tasklib", "test.service")
NOX = ("nox", "-s", "service")
INVOKE = ("invoke", "test.service")

SCENES = scenes()


def start(shop: Checkout, scene: Scene, argv: tuple[str, ...], traces: Traces, state: Path) -> Run:
    """``argv`` in the phase that ``scene`` is about."""
    shop.write(scene.files)
    run = Run(shop, *argv, env=scene.env)
    run.until(lambda: scene.reached(traces, run.marks, state))
    return run


@pytest.mark.parametrize("phase", SCENES)
def test_an_interrupt_in_any_phase_ends_all(shop: Checkout, traces: Traces, state: Path, phase: str) -> None:
    """SIGINT is answered by a line, before anything is removed, and by exit code 130."""
    run = start(shop, SCENES[phase], TASKLIB, traces, state)
    run.send(signal.SIGINT)
    assert until(lambda: "interrupted: removing the stacks" in run.text), run.text
    assert run.wait() == 130, run.text
    assert not gone_within(traces, state)
    assert "Traceback" not in run.text


@pytest.mark.parametrize("phase", SCENES)
def test_a_killed_group_in_any_phase_leaves_nothing(
    shop: Checkout, traces: Traces, state: Path, phase: str
) -> None:
    """SIGKILL for the whole process group leaves the work to the reaper, which is in none of our groups."""
    run = start(shop, SCENES[phase], TASKLIB, traces, state)
    run.send(signal.SIGKILL, group=True)
    assert run.wait() == -signal.SIGKILL
    assert not gone_within(traces, state)


@pytest.mark.parametrize(
    ("argv", "number"),
    [
        (NOX, signal.SIGINT),
        (NOX, signal.SIGTERM),
        (NOX, signal.SIGHUP),
        (NOX, signal.SIGKILL),
        (INVOKE, signal.SIGTERM),
        (TASKLIB, signal.SIGHUP),
        (TASKLIB, signal.SIGKILL),
    ],
)
def test_a_signal_during_tests_ends_all_under_every_front_end(
    shop: Checkout, traces: Traces, state: Path, argv: tuple[str, ...], number: signal.Signals
) -> None:
    """What can be handled ends with code 130, under Nox too; what cannot leaves nothing either."""
    run = start(shop, SCENES["tests"], argv, traces, state)
    run.send(number)
    assert run.wait() == (-number if number == signal.SIGKILL else 130), run.text
    assert not gone_within(traces, state)
    assert "Traceback" not in run.text


@pytest.mark.parametrize("argv", [TASKLIB, NOX], ids=" ".join)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_ctrl_c_on_a_terminal(
    shop: Checkout, traces: Traces, state: Path, argv: tuple[str, ...], times: int
) -> None:
    """Once: told at once what happens; twice: ended at once, told what is still being removed."""
    # Tests that do not want to end leave time for a second thought.
    shop.write({"services/api/tests.sh": "trap '' TERM\n" + textwrap.dedent(FILES["services/api/tests.sh"])})
    terminal = in_terminal(shop, argv)
    assert until(lambda: _drained(terminal) and (marks_of(shop) / "testing").exists(), 60)
    terminal.sendintr()
    terminal.expect("interrupted: removing the stacks")
    if times > 1:
        # Two that come within a moment count as one: press until it is the second one.
        said: list[Any] = ["stopped; test-feature-.*_api is removed in the background", pexpect.TIMEOUT]
        terminal.sendintr()
        while terminal.expect(said, timeout=0.4):
            for _ in range(times - 1):
                terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert (terminal.exitstatus, terminal.signalstatus) == (130, None)
    assert not gone_within(traces, state)


@pytest.mark.parametrize("argv", [TASKLIB, NOX], ids=" ".join)
def test_a_closed_terminal(shop: Checkout, traces: Traces, state: Path, argv: tuple[str, ...]) -> None:
    """SIGHUP, and nowhere to print any more, ends the run and all that it has up."""
    terminal = in_terminal(shop, argv)
    assert until(lambda: _drained(terminal) and (marks_of(shop) / "testing").exists(), 60)
    _hang_up(terminal)
    assert not gone_within(traces, state)


def test_nohup_outlives_its_terminal(shop: Checkout, traces: Traces, state: Path) -> None:
    """A run that was started to ignore SIGHUP goes on without its terminal."""
    terminal = in_terminal(shop, ["sh", "-c", 'nohup tasklib test.service > "$MARKS/output" 2>&1'])
    marks = marks_of(shop)
    assert until(lambda: (marks / "testing").exists(), 60)
    _hang_up(terminal)
    (marks / "end").write_text("0")
    assert until(lambda: "PASSED" in (marks / "output").read_text(), 20), (marks / "output").read_text()
    assert not gone_within(traces, state)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_that_comes_twice_is_one(
    shop: Checkout, traces: Traces, state: Path, number: signal.Signals
) -> None:
    """`timeout` and some supervisors signal the process and then its group: the run still ends in order."""
    run = start(shop, SCENES["tests"], TASKLIB, traces, state)
    run.send(number)
    run.send(number, group=True)
    assert run.wait() == 130, run.text
    assert "INTERRUPTED" in run.text
    assert "stopped" not in run.text
    assert not gone_within(traces, state)


def test_an_interrupt_while_stacks_go_down(shop: Checkout, traces: Traces, state: Path) -> None:
    """Two signals in the middle of the removal do not stop it."""
    run = start(shop, SCENES["tests"], TASKLIB, traces, state)
    (run.marks / "end").write_text("0")
    run.until(lambda: "running" not in traces.states())
    run.send(signal.SIGINT)
    run.send(signal.SIGTERM)
    run.wait()
    assert not gone_within(traces, state)


def test_unit_tests_go_with_a_killed_run(shop: Checkout, traces: Traces, state: Path) -> None:
    """A run without any stack leaves no test process either."""
    shop.write({"services/api/tests/unit/README": "tests.sh does it\n"})
    run = Run(shop, "tasklib", "test.unit")
    run.until(lambda: (run.marks / "testing").exists())
    run.send(signal.SIGKILL, group=True)
    assert run.wait() == -signal.SIGKILL
    assert not gone_within(traces, state)


def test_failing_tests_leave_nothing(shop: Checkout, traces: Traces, state: Path) -> None:
    """The plain case: code 1, and everything gone by the time the command ends."""
    run = start(shop, SCENES["tests"], TASKLIB, traces, state)
    (run.marks / "end").write_text("3")
    assert run.wait() == 1, run.text
    assert not traces.left()


def test_a_mistake_of_ours_leaves_nothing(shop: Checkout, traces: Traces, state: Path) -> None:
    """An exception that nobody expects is named, and the stack goes."""
    shop.write(
        {
            "broken/sitecustomize.py": """
                from tasklib.stacks.stack import Stack

                def endpoints(self):
                    raise RuntimeError("a mistake of ours")

                Stack.endpoints = endpoints
            """
        }
    )
    run = Run(shop, *TASKLIB, env={"PYTHONPATH": str(shop.root / "broken")})
    assert run.wait() not in (0, 130)
    assert "a mistake of ours" in run.text
    assert not gone_within(traces, state)


def _hang_up(terminal: pexpect.spawn[str]) -> None:
    """Close the window: the kernel tells whoever has this terminal, and nobody else does anything."""
    child: Any = terminal  # pexpect's stubs leave the pty out
    child.ptyproc.fileobj.close()


def _drained(terminal: pexpect.spawn[str]) -> bool:
    """Read what there is, so that the command never waits for us to."""
    with contextlib.suppress(pexpect.TIMEOUT, pexpect.EOF):
        terminal.read_nonblocking(65536, timeout=0)
    return True

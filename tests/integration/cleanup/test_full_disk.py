"""The disk of the state folder is full: what was started still goes, and what passes is a pass."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..projects import Checkout
from ..traces import Traces
from .support import Run, gone_within, marks_of

Fill = Callable[[], None]


@pytest.fixture
def fill(state: Path, traces: Traces) -> Iterator[Fill]:
    """Call it, and nothing more can be written to the state folder, which has a small disk of its own."""
    state.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(state)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("only root may mount a disk of its own")

    def filled() -> None:
        with (state / "filled").open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                os.sync()

    yield filled
    (state / "filled").unlink(missing_ok=True)
    assert not gone_within(traces, state, scratch=False)
    subprocess.run(["umount", "--lazy", str(state)], check=True)


@pytest.mark.parametrize("early", [True, False], ids=["from the beginning", "during the tests"])
def test_a_passing_run_passes(shop: Checkout, state: Path, fill: Fill, early: bool) -> None:
    """It ends with 0 and its summary, names no log that there is not, and says what could not be kept."""
    if early:
        fill()
    run = Run(shop, "tasklib", "test.service")
    run.until(lambda: (run.marks / "testing").exists())
    if not early:
        fill()
    (marks_of(shop) / "end").write_text("0")
    assert run.wait() == 0, run.text
    (summary,) = (line for line in run.text.splitlines() if line.startswith("PASSED: "))
    assert not (early and "Full log" in summary)
    assert f"the disk of {state}/tasklib is full or read-only; not kept: " in run.text
    assert "Traceback" not in run.text


@pytest.mark.parametrize("early", [True, False], ids=["from the beginning", "during the tests"])
def test_a_killed_run_leaves_nothing(
    shop: Checkout, state: Path, traces: Traces, fill: Fill, early: bool
) -> None:
    """The reaper needs no disk."""
    if early:
        fill()
    run = Run(shop, "tasklib", "test.service")
    run.until(lambda: (run.marks / "testing").exists())
    if not early:
        fill()
    run.send(signal.SIGKILL, group=True)
    run.wait()
    assert not gone_within(traces, state)


def test_down_and_clean_work_on_a_disk_that_was_made_read_only(
    shop: Checkout, state: Path, traces: Traces, fill: Fill
) -> None:
    """As the kernel does with one that breaks: records that cannot be removed keep nothing up."""
    for command in ("infra.down", "clean"):
        assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
        subprocess.run(["mount", "-o", "remount,ro", str(state)], check=True)
        try:
            ended = shop.run("tasklib", command)
        finally:
            subprocess.run(["mount", "-o", "remount,rw", str(state)], check=True)
        assert ended.code == 0, ended
        assert not traces.left()


def test_down_and_clean_work_just_then(shop: Checkout, state: Path, traces: Traces, fill: Fill) -> None:
    """Whoever has to make room can; what cannot be kept is not brought up to stay."""
    for command in ("infra.down", "clean"):
        assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
        fill()
        ended = shop.run("tasklib", command)
        assert ended.code == 0, ended
        assert not traces.left()
        refused = shop.run("tasklib", "infra.up", "--name", "api")
        assert refused.code == 2, refused
        assert "Make room there" in refused.err
        assert not traces.left()
        (state / "filled").unlink()

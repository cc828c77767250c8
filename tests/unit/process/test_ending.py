"""However a command ends, nothing of its process group goes on."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

import pytest

from tasklib import process
from tasklib.errors import Interrupted
from tasklib.process import CHILDREN, Cancel, CommandError, TimedOut


def gone(pid: int, patience: float = 5.0) -> bool:
    """Whether the process has ended (a zombie that nobody reaped counts)."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False


def test_what_a_command_left_in_the_background_goes_with_it() -> None:
    """A grandchild that keeps our pipe open is neither waited for nor left."""
    began = time.monotonic()
    done = process.run(["sh", "-c", "sleep 600 & echo $!; exit 3"], check=False)
    assert done.code == 3
    assert time.monotonic() - began < 5
    assert gone(int(done.stdout))


@pytest.mark.parametrize("stubborn", ["", "trap '' TERM;"])
def test_a_deadline_ends_the_group(stubborn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TERM first, KILL for whoever ignores it."""
    monkeypatch.setattr(process.ending, "GRACE", 0.2)
    pids = tmp_path / "pids"
    with pytest.raises(TimedOut, match="took more than"):
        process.run(["sh", "-c", f"{stubborn} sleep 600 & echo $$ $! > {pids}; wait"], timeout=0.3)
    assert all(gone(int(pid)) for pid in pids.read_text().split())


def test_a_cancellation_ends_the_group(tmp_path: Path) -> None:
    """A silent command is ended within a moment of the request, and its reason is the error's."""
    cancel = Cancel()
    threading.Timer(0.2, cancel.set, ["ended by SIGTERM"]).start()
    pid = tmp_path / "pid"
    with pytest.raises(Interrupted, match="ended by SIGTERM"):
        process.run(["sh", "-c", f"echo $$ > {pid}; exec sleep 600"], cancel=cancel)
    assert gone(int(pid.read_text()))


def test_a_cancellation_before_the_start_starts_nothing(tmp_path: Path) -> None:
    """Nothing is run for a run that was asked to stop."""
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Interrupted):
        process.run(["touch", str(tmp_path / "made")], cancel=cancel)
    assert not (tmp_path / "made").exists()


def test_a_cancellation_goes_down_not_up() -> None:
    """What is asked of one part is not asked of the whole."""
    whole = Cancel()
    part, other = Cancel(whole), Cancel(whole)
    part.set("not needed")
    assert (whole.is_set(), part.is_set(), other.is_set()) == (False, True, False)
    whole.set("interrupted")
    assert (part.reason, other.reason) == ("not needed", "interrupted")


def test_the_listener_hears_of_each_group_while_it_can_be_killed() -> None:
    """A pid is given back only after the listener was told that its group has ended."""
    heard: list[tuple[str, bool]] = []
    CHILDREN.listen(lambda sign, pid: heard.append((sign, Path(f"/proc/{pid}").exists())))
    try:
        process.run(["true"])
    finally:
        CHILDREN.listen(None)
    assert heard == [("+", True), ("-", True)]


def test_ending_by_a_signal_is_a_code() -> None:
    """A command that was killed has a negative code, as Python has it."""
    assert process.run(["sh", "-c", "kill -9 $$"], check=False).code == -9


def test_a_missing_program_or_folder_is_named(tmp_path: Path) -> None:
    """Both are the same error of the system; the message names which it was."""
    with pytest.raises(CommandError, match="no-such-program"):
        process.run(["no-such-program"])
    with pytest.raises(CommandError, match="no-such-folder"):
        process.run(["true"], cwd=tmp_path / "no-such-folder")


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("#!/nosuch/sh -e\n", "its first line names '/nosuch/sh', which is no program"),
        ("#! /nosuch/sh\t-e\n", "its first line names '/nosuch/sh', which is no program"),
        ("#!/bin/sh\r\n", "its first line names '/bin/sh' and a carriage return, which is no program"),
    ],
)
def test_a_script_without_its_program_is_told_as_that(first: str, said: str, tmp_path: Path) -> None:
    """The system says that there is no such file, of a file that is there."""
    script = tmp_path / "run"
    script.write_bytes(f"{first}echo\n".encode())
    script.chmod(0o755)
    with pytest.raises(CommandError, match=re.escape(said)):
        process.run([str(script)])
    with pytest.raises(CommandError, match=re.escape(said)):
        process.run(["./run"], cwd=tmp_path)


def test_more_input_than_a_pipe_holds_and_output_at_the_same_time() -> None:
    """Neither side waits for the other."""
    text = "line\n" * 200_000
    assert process.run(["cat"], stdin=text).stdout == text


def test_a_command_that_reads_no_input_does_not_hold_us() -> None:
    """What it leaves unread is dropped."""
    assert process.run(["true"], stdin="x" * 1_000_000).code == 0


def test_children_stay_out_of_our_process_group() -> None:
    """Ctrl-C reaches us alone."""
    assert int(process.run(["sh", "-c", "ps -o pgid= -p $$"]).stdout) != os.getpgrp()

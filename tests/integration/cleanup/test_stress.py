"""Worktrees side by side, their runs killed at random moments: nothing is left, no data is shared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def test_random_kills_leave_nothing(engine: Any) -> None:
    """The small form of `python -m benchmarks.stress`, which says what happened and with which seed."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.stress", "--worktrees", "3", "--rounds", "3", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, done.stderr)
    outcome = json.loads(done.stdout)
    assert (outcome["failed"], outcome["cross_talk"], outcome["left"]) == ([], [], [])
    assert outcome["runs"] == 12
    assert outcome["passed"] >= 3
    assert done.returncode == 0


def test_two_users_on_one_branch_share_nothing(engine: Any) -> None:
    """Each with a clone and a state folder: they start at the same moment, and both always pass."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.stress", "--users", "2", "--rounds", "2", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, done.stderr)
    outcome = json.loads(done.stdout)
    assert (outcome["failed"], outcome["cross_talk"], outcome["left"]) == ([], [], [])
    assert (outcome["runs"], outcome["passed"], done.returncode) == (6, 6, 0)

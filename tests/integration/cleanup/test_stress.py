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

"""A stage as Nox runs it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.projects import write

FILES = {
    "noxfile.py": "from tasklib.sessions import register\n\nregister()\n",
    "pyproject.toml": '[tool.tasklib]\nunit = { paths = "tests", command = ["echo", "tested"] }\n',
    "tests/test_a.py": "",
}


def test_a_stage_runs(tmp_path: Path) -> None:
    """Options are read, the stage's tests run, and the session ends as they do."""
    project = tmp_path / "shop"
    write(project, FILES)
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"}
    argv = [sys.executable, "-m", "nox", "-s", "unit", "--", "--verbose"]
    done = subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert "Session unit was successful" in done.stderr, done

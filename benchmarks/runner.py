"""The runner's own cost: 5,000 trivial tests through ``tasklib test.unit``, against bare pytest."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.compare import Side, alternate
from benchmarks.figures import Figure

__all__ = ["measure"]

_FILES, _TESTS = 50, 100


def measure(rounds: int | None = None) -> list[Figure]:
    """What both take."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="tasklib-benchmark-") as folder:
        project = Path(folder) / "trivial"
        tests = project / "tests" / "unit"
        tests.mkdir(parents=True)
        (project / "pyproject.toml").write_text(
            '[project]\nname = "trivial"\nversion = "1"\n[dependency-groups]\ndev = ["pytest"]\n'
        )
        for number in range(_FILES):
            body = "".join(f"def test_{i}():\n    assert {i} == {i}\n\n" for i in range(_TESTS))
            (tests / f"test_file_{number}.py").write_text(body)
        subprocess.run(["git", "init", "-q", "-b", "main", str(project)], check=True)
        uv = str(programs / "uv")
        ratio = alternate(
            Side("tasklib test.unit", [str(programs / "tasklib"), "test.unit"], project),
            Side("bare pytest", [uv, "run", "pytest", "-q", "tests/unit"], project),
            rounds or 5,
        )
    return [Figure("5,000 trivial unit tests", "bare uv run pytest", 1 / ratio)]

"""What importing tasklib's namespace costs: ``invoke -l`` with it, against the smallest tasks.py there is."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.compare import Side, alternate
from benchmarks.figures import Figure

__all__ = ["measure"]

# Invoke refuses to list a tasks.py without any task.
_SMALLEST = "from invoke import task\n\n\n@task\ndef nothing(c):\n    pass\n"


def measure(rounds: int | None = None) -> list[Figure]:
    """What both listings take."""
    invoke = str(Path(sys.executable).parent / "invoke")
    with tempfile.TemporaryDirectory(prefix="tasklib-benchmark-") as folder:
        ours, empty = Path(folder) / "ours", Path(folder) / "empty"
        for project, text in ((ours, "from tasklib.tasks import namespace as ns\n"), (empty, _SMALLEST)):
            project.mkdir()
            (project / "tasks.py").write_text(text)
        ratio = alternate(
            Side("with tasklib", [invoke, "-l"], ours),
            Side("smallest tasks.py", [invoke, "-l"], empty),
            rounds or 20,
        )
    return [Figure("invoke -l", "the same with the smallest tasks.py", 1 / ratio)]

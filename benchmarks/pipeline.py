"""The shell pipeline that projects copy from each other, against ``invoke test``, on example-project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.compare import Side, alternate, example_copy

__all__ = ["measure"]


def measure(rounds: int | None = None) -> None:
    """Print how many times faster ``invoke test`` is. The warm-up builds images and environments for both."""
    script = Path(__file__).parent / "shell_pipeline.sh"
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with example_copy() as project:
        alternate(
            Side("shell pipeline", ["bash", str(script)], project, path),
            Side("invoke test", ["invoke", "test"], project, path),
            rounds or 3,
        )

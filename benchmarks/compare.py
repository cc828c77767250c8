"""Timing whole commands against each other."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

__all__ = ["ROOT", "Side", "alternate", "example_copy"]


@dataclass(frozen=True)
class Side:
    """One of the commands compared; one that is ``printed`` measures itself and prints the seconds."""

    name: str
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str] | None = None
    printed: bool = False


def alternate(one: Side, other: Side, rounds: int, *, warm_up: int = 1) -> float:
    """Run both ``rounds`` times in turn after ``warm_up`` uncounted ones; print and return ``one / other``.

    The ratio is the median of the pairs' ratios.
    """
    ratios: list[float] = []
    seconds: dict[str, list[float]] = {one.name: [], other.name: []}
    for number in range(-warm_up, rounds):
        pair = [_run(side) for side in (one, other)]
        if number >= 0:
            for side, spent in zip((one, other), pair, strict=True):
                seconds[side.name].append(spent)
            ratios.append(pair[0] / pair[1])
            print(
                f"   {one.name} {pair[0]:.2f} s, {other.name} {pair[1]:.2f} s: {ratios[-1]:.2f}", flush=True
            )
    for name, all_spent in seconds.items():
        print(f"{name}: median {statistics.median(all_spent):.2f} s")
    ratio = statistics.median(ratios)
    print(f"{one.name} / {other.name} = {ratio:.2f} (median of {rounds})", flush=True)
    return ratio


def _run(side: Side) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        list(side.argv),
        cwd=side.cwd,
        env={**os.environ, **(side.env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    spent = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(
            f"{side.name} failed ({done.returncode}):\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
    return float(done.stdout) if side.printed else spent


@contextmanager
def example_copy() -> Iterator[Path]:
    """example-project as a repository of its own on a branch of its own."""
    with tempfile.TemporaryDirectory(prefix="tasklib-benchmark-") as folder:
        project = Path(folder) / "example-project"
        ignored = shutil.ignore_patterns(".venv", "node_modules", ".git", "__pycache__")
        shutil.copytree(ROOT / "example-project", project, ignore=ignored)
        for argv in (
            ["init", "-q", "-b", "benchmark"],
            ["add", "-A"],
            ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", *argv], cwd=project, check=True)
        for package in project.glob("services/*/package.json"):
            subprocess.run(["npm", "ci", "--silent"], cwd=package.parent, check=True)
        yield project

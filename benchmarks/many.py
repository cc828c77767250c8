"""Many runs of example-project at once, each in a checkout of its own, against the same one after another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.compare import example_copy
from benchmarks.figures import Figure

__all__ = ["measure"]

_AT_ONCE = (1, 2, 4, 8, 16)


def measure(rounds: int | None = None) -> list[Figure]:
    """How long so many runs take at once, in parts of one after another; a run that fails ends it."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    found = []
    with example_copy() as project:
        checkouts = [project]
        for number in range(1, max(_AT_ONCE)):
            other = project.parent / f"checkout-{number}"
            shutil.copytree(project, other, symlinks=True)
            branch = ["git", "-C", str(other), "switch", "-q", "-c", f"benchmark-{number}"]
            subprocess.run(branch, check=True)
            checkouts.append(other)
        try:
            for checkout in checkouts:  # images and environments
                _runs([checkout], env)
            for number in _AT_ONCE:
                chosen = checkouts[:number]
                after_another = sum(_runs([checkout], env)[-1] for checkout in chosen)
                ended = _runs(chosen, env)
                ratio = ended[-1] / after_another
                print(
                    f"   {number} at once {ended[-1]:.1f} s (the first after {ended[0]:.1f} s),"
                    f" one after another {after_another:.1f} s: {ratio:.2f}",
                    flush=True,
                )
                found.append(Figure(f"{number} runs at once", "one after another", 1 / ratio))
        finally:
            for checkout in checkouts:
                subprocess.run(["tasklib", "clean", "--force"], cwd=checkout, env=env, capture_output=True)
    return found


def _runs(checkouts: list[Path], env: dict[str, str]) -> list[float]:
    """Start a run in each at once; the seconds after which each ended, ascending."""
    began = time.perf_counter()
    running = {
        subprocess.Popen(
            ["tasklib", "test"], cwd=checkout, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ): checkout
        for checkout in checkouts
    }
    ended = []

    def finish(process: subprocess.Popen[bytes]) -> tuple[bytes, float]:
        return process.communicate()[0], time.perf_counter() - began

    try:
        with ThreadPoolExecutor(len(running)) as pool:
            finished = list(pool.map(finish, running))
        for (process, checkout), (output, seconds) in zip(running.items(), finished, strict=True):
            ended.append(seconds)
            if process.returncode:
                raise SystemExit(f"{checkout} failed ({process.returncode}):\n{output.decode()[-3000:]}")
    finally:
        for process in running:
            if process.poll() is None:  # another one failed
                process.terminate()
                process.communicate()
    return sorted(ended)

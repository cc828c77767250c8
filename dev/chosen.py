"""Which images this machine uses, for tests and benchmarks that somebody starts by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["chosen_images"]


def chosen_images(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that `python3 dev images` prints, by name; none where `env` holds any such already."""
    if any(name.endswith("_IMAGE") for name in env):
        return {}
    found = subprocess.run(
        [sys.executable, "dev", "images"],
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    rows = (line.partition("  #")[0].partition("=") for line in found.stdout.splitlines())
    return {name: image for name, equals, image in rows if equals}

"""``python -m benchmarks [pipeline] [listing] [runner] [bake]``: measure and print ratios.

Each benchmark alternates what it compares, so that a machine that slows down slows both.
"""

from __future__ import annotations

import argparse
import os

from benchmarks import bake, listing, pipeline, runner
from dev.chosen import chosen_images

_ALL = {
    "pipeline": pipeline.measure,
    "listing": listing.measure,
    "runner": runner.measure,
    "bake": bake.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[*_ALL, []], help="all of them by default")
    parser.add_argument("--rounds", type=int, help="how often each side runs")
    options = parser.parse_args()
    os.environ.update(chosen_images(os.environ))
    for name in options.which or _ALL:
        print(f"== {name}", flush=True)
        _ALL[name](options.rounds)


if __name__ == "__main__":
    main()

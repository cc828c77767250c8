"""``python -m benchmarks [NAME…] [--page FILE]``: measure and print ratios.

Each benchmark alternates what it compares, so that a machine that slows down slows both.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import bake, doctoring, elsewhere, listing, loop, many, peers, pipeline, runner, scale
from benchmarks.figures import Figure, machine, page
from dev.chosen import chosen_images

_ALL: Mapping[str, Callable[[int | None], list[Figure]]] = {
    "peers": peers.measure,
    "loop": loop.measure,
    "bake": bake.measure,
    "pipeline": pipeline.measure,
    "many": many.measure,
    "scale": scale.measure,
    "runner": runner.measure,
    "listing": listing.measure,
    "doctor": doctoring.measure,
    "elsewhere": elsewhere.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[*_ALL, []], help="all of them by default")
    parser.add_argument("--rounds", type=int, help="how often each side runs")
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="write a page of Markdown, with charts beside it"
    )
    options = parser.parse_args()
    os.environ.update(chosen_images(os.environ))
    found: dict[str, list[Figure]] = {}
    for name in options.which or _ALL:
        print(f"== {name}", flush=True)
        found[name] = _ALL[name](options.rounds)
        if options.page:  # after each: a later one may fail
            page(options.page, found, machine())


if __name__ == "__main__":
    main()

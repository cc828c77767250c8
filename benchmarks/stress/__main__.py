"""The command."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import textwrap
from dataclasses import asdict

import benchmarks.stress
from benchmarks.stress.outcome import table
from benchmarks.stress.rounds import stress
from dev.chosen import chosen_images

__all__ = ["main"]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.stress",
        description=textwrap.dedent(benchmarks.stress.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--worktrees", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--users", type=int, default=0, help="clones of so many users, instead of worktrees")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeats the same choices")
    parser.add_argument("--json", action="store_true", help="the outcome as JSON on standard output")
    options = parser.parse_args()
    os.environ.update(chosen_images(os.environ))
    outcome = stress(
        options.worktrees,
        options.rounds,
        options.seed,
        lambda text: print(text, file=sys.stderr, flush=True),
        users=options.users,
    )
    if options.json:
        print(json.dumps(asdict(outcome), indent=2))
    else:
        print(table(outcome))
    sys.exit(0 if outcome.ok else 1)


if __name__ == "__main__":
    main()

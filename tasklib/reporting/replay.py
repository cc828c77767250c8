"""``python -m tasklib.reporting.replay RUN.jsonl``: show a recorded run again, at any speed.

The recording is what ``--format json`` printed. Useful to look at how a run is shown without running it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from msgspec.structs import replace

from tasklib.errors import TasklibError, UsageError
from tasklib.events import Event, Sink
from tasklib.reporting.lines.jsonlines import from_object
from tasklib.reporting.sinks import FORMATS, open_sinks

__all__ = ["main", "play", "read"]


def read(stream: Iterable[str], name: str = "recording") -> Iterator[Event]:
    """The events of a recording; :class:`UsageError` names the line that is none."""
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            yield from_object(found if isinstance(found, dict) else {})
        except (ValueError, RecursionError) as error:
            raise UsageError(f"not an event: {error}", where=f"{name}:{number}") from error


def play(events: Iterable[Event], sink: Sink, *, speed: float) -> None:
    """Emit the events at the distances they were recorded with, ``speed`` times as fast (0: at once).

    Times are moved to now, so that clocks on a board run on.
    """
    began = time.time()
    first: float | None = None
    for event in events:
        if first is None:
            first = event.at
        if speed > 0:
            due = began + (event.at - first) / speed
            time.sleep(max(0.0, due - time.time()))
            event = replace(event, at=due)
        sink.emit(event)


def main(argv: Sequence[str] | None = None, *, stream: TextIO | None = None) -> int:
    """Parse the command line, replay, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tasklib.reporting.replay", description=__doc__)
    parser.add_argument("recording", type=Path, help="a file of JSON lines")
    parser.add_argument(
        "--speed", type=float, default=0.0, help="times as fast as recorded (default: at once)"
    )
    parser.add_argument("--format", choices=FORMATS, default="auto")
    parser.add_argument("--report", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(argv)
    try:
        with (
            options.recording.open(encoding="utf-8") as lines,
            open_sinks(
                options.format,
                verbose=options.verbose,
                reports=options.report,
                stream=stream or sys.stdout,
                env=os.environ,
            ) as sink,
        ):
            play(read(lines, str(options.recording)), sink, speed=options.speed)
    except (TasklibError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

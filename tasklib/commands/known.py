"""``test.last`` and ``test.proof``: what is known of earlier runs of this checkout."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from tasklib.commands.console import complain, give, say
from tasklib.errors import UsageError
from tasklib.options.caller import hint
from tasklib.shown.cleaning import harmless_json

__all__ = ["last", "proof"]


def last(names: Sequence[str], *, failures: bool, logs: str | None, most: int, format: str) -> int:
    """Show the last run of this checkout again; returns its exit code.

    Raises :class:`~tasklib.errors.UsageError` where there was none.
    """
    from tasklib.changes.evidence import Evidence
    from tasklib.events import RunFinished
    from tasklib.project import find_project
    from tasklib.reporting.files.last import narrowed, shown
    from tasklib.reporting.lines.jsonlines import to_object
    from tasklib.reporting.replay import read

    project = find_project(Path.cwd())
    path = Evidence.of(project).last_run
    try:
        with path.open(encoding="ascii", errors="backslashreplace") as stream:
            events = narrowed(read(stream, str(path)), names=names, failures=failures)
    except FileNotFoundError:
        raise UsageError(
            "no run of this checkout is known", remedy=f"Run the tests once: `{hint('test.all')}`."
        ) from None
    except OSError as error:
        raise UsageError(f"the last run cannot be read: {error.strerror}", where=str(path)) from error
    if format == "json":
        for event in events:
            give(harmless_json(json.dumps(to_object(event), separators=(",", ":"))))
    else:
        for line in shown(events, base=str(Path.cwd()), logs=logs, most=most):
            say(line)
    finished = [event.result for event in events if isinstance(event, RunFinished)]
    return finished[-1].exit_code if finished else 130


def proof(stages: Sequence[str]) -> int:
    """Whether ``stages`` (all without any) passed on exactly this tree: 0, or 1 with what is missing."""
    from tasklib.changes.evidence import Evidence
    from tasklib.pipeline.options import Options
    from tasklib.pipeline.plan import matching
    from tasklib.project import find_project
    from tasklib.results import Stage

    for name in stages:
        if name not in set(Stage):
            raise UsageError(f"--stages takes unit, service or integration, not {name!r}")
    project = find_project(Path.cwd())
    wanted = matching(project, [Stage(name) for name in stages] or list(Stage), Options())
    if not wanted:
        raise UsageError("there are no tests of these stages", where=str(project.root))
    found = Evidence.of(project).proof(wanted, os.environ)
    missing = [str(target) for target, known in found.items() if known is None]
    if missing:
        stages_of = dict.fromkeys(str(target.stage) for target, known in found.items() if known is None)
        # One stage is its own command; more are those of the pipeline.
        run = f"tasklib test.{next(iter(stages_of))}" if len(stages_of) == 1 else "tasklib test"
        complain(
            f"not proven: {', '.join(missing)} did not pass on exactly this tree; `{run} --cached` tests it"
        )
        return 1
    say(f"proven: {', '.join(map(str, found))} passed on exactly this tree")
    return 0

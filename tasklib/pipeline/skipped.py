"""Targets that nothing is started for: they passed already, or their tests cannot do what is asked."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from tasklib.errors import ConfigError
from tasklib.pipeline.options import Options
from tasklib.pipeline.suites.planning import plan_suite
from tasklib.project import Project
from tasklib.results import Outcome, Target, TargetResult
from tasklib.shown.ages import ago

__all__ = ["without_running"]


def without_running(
    project: Project, wanted: Sequence[Target], options: Options
) -> Mapping[Target, TargetResult]:
    """The results of those of ``wanted`` that are not run, which no stack is brought up for either.

    Raises :class:`~tasklib.errors.ConfigError` for tests that the Python which is asked for cannot run.
    """
    found = {target: _known(target, at) for target, at in options.passed.items() if target in wanted}
    for target in wanted if options.keyword or options.python or options.extra else ():
        try:
            why = plan_suite(project, target, options.of_suites).skip
        except ConfigError:
            if options.python:
                raise
            continue  # Nothing can be run at all: that is the target's result.
        if why:
            found.setdefault(target, TargetResult(target, Outcome.SKIPPED, reason=why))
    return found


def _known(target: Target, passed_at: float) -> TargetResult:
    """The result of a target that is not run again."""
    return TargetResult(
        target, Outcome.SKIPPED, reason=f"cached, passed {ago(time.time() - passed_at)}", passed_at=passed_at
    )

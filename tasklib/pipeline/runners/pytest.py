"""Runs a pytest suite: an injected plugin reports, whatever environment the suite runs in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping

from tasklib.errors import ConfigError
from tasklib.events import Event
from tasklib.pipeline.durations import file_of
from tasklib.pipeline.runners.gate import Gate
from tasklib.pipeline.runners.launching import INJECT, Launcher
from tasklib.pipeline.runners.session import Session
from tasklib.pipeline.runners.supervision import supervise
from tasklib.pipeline.shards import Share
from tasklib.pipeline.suites.suite import PLUGIN, Suite
from tasklib.process import Cancel
from tasklib.results import TargetResult

__all__ = ["INJECT", "environment", "run_pytest"]

_ROOM = 40_000
"""Characters for the seconds of files, and for those of tests: a variable has its limit."""


def run_pytest(
    suite: Suite,
    env: Mapping[str, str],
    emit: Callable[[Event], None],
    cancel: Cancel,
    gate: Gate | None = None,
    launch: Launcher | None = None,
) -> TargetResult:
    """Run ``suite`` with the whole environment ``env``; see :func:`tasklib.pipeline.runners.run_suite`.

    With a ``gate`` pytest gets ready, and goes on from there once that is open.
    """
    _refuse_namesake(suite)
    own = environment(suite, env)
    if gate:
        own["TASKLIB_GATE"] = str(gate.path)
    return supervise(Session(suite, emit), suite.argv, own, cancel, gate=gate, launch=launch)


def _refuse_namesake(suite: Suite) -> None:
    """Raise :class:`~tasklib.errors.ConfigError` for what pytest would load as our plugin.

    With ``python -m`` and with the setting ``pythonpath = "."`` the folder that it is started in comes first.
    """
    name = PLUGIN.partition(".")[0]
    for path in (suite.cwd / name / "__init__.py", suite.cwd / f"{name}.py"):
        if path.is_file():
            raise ConfigError(
                "it has the name of what tasklib loads into pytest, and would be loaded instead",
                where=str(path),
                remedy="Rename it.",
            )


def environment(suite: Suite, env: Mapping[str, str]) -> dict[str, str]:
    """The environment of the test process: the plugin's folder comes first, the user's own follow."""
    merged = {name: value for name, value in {**env, **suite.env}.items() if name not in suite.unset}
    own = merged.get("PYTHONPATH", "")
    merged["PYTHONPATH"] = f"{INJECT}{os.pathsep}{own}" if own else str(INJECT)
    if suite.fullstack:
        merged["TASKLIB_FULLSTACK"] = suite.fullstack
    if suite.share and suite.share.part.of > 1:
        merged["TASKLIB_PART"] = json.dumps(_told(suite.share), separators=(",", ":"))
    return merged


def _told(share: Share) -> dict[str, object]:
    """What the plugin is told: of files the longest, and the slowest tests of files that may be cut."""
    files = share.durations.files
    fair = sum(files.values()) / share.part.of
    slow = {test: seconds for test, seconds in share.durations.tests.items() if files[file_of(test)] > fair}
    return {
        "number": share.part.number,
        "of": share.part.of,
        "files": _longest(files),
        "tests": _longest(slow),
    }


def _longest(seconds: Mapping[str, float]) -> dict[str, float]:
    """As many as there is room for."""
    found, room = {}, _ROOM
    for name, spent in sorted(seconds.items(), key=lambda each: (-each[1], each[0])):
        room -= len(json.dumps(name)) + 12
        if room < 0:
            break
        found[name] = round(spent, 3)
    return found

"""What targets took in an earlier run, as ``--report run.json`` wrote it: by this shards are made even."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field

from tasklib.errors import ConfigError
from tasklib.results import Phase, Stage, Target

__all__ = ["VARIABLE", "Durations", "file_of", "read_durations"]

VARIABLE = "TASKLIB_DURATIONS"
"""Names the file. It has to be the same on all machines of a run."""


class Durations(Struct, frozen=True):
    """Seconds of a target: of its stack, and of its tests by their ids."""

    stack: float = 0.0
    tests: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def files(self) -> Mapping[str, float]:
        """Seconds of the files that the tests are in."""
        found: dict[str, float] = {}
        for test, seconds in sorted(self.tests.items()):
            found[file_of(test)] = found.get(file_of(test), 0.0) + seconds
        return found


def file_of(test: str) -> str:
    """The file of the test with this id."""
    return test.partition("::")[0]


def read_durations(path: Path) -> Mapping[Target, Durations]:
    """What the report at ``path`` says of each target that ran; nothing where there is no such file.

    Raises :class:`~tasklib.errors.ConfigError` for what is no report: another machine might read another one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise _no_report(path, str(error)) from error
    try:
        return dict(_target(row) for row in json.loads(text)["targets"] if row["tests"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_report(path, "it is not one that `--report run.json` writes") from error


def _target(row: Mapping[str, Any]) -> tuple[Target, Durations]:
    target = Target(Stage(row["target"]["stage"]), str(row["target"]["service"]))
    tests: dict[str, float] = {}
    for test in row["tests"]:
        name = str(test["id"])
        tests[name] = tests.get(name, 0.0) + max(0.0, float(test["seconds"]))
    phases = (row["phases"].get(phase, 0.0) for phase in (Phase.START, Phase.CLEAN))
    return target, Durations(sum(max(0.0, float(phase)) for phase in phases), tests)


def _no_report(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{VARIABLE} names no report: {why}",
        where=str(path),
        remedy="Unset it, or let it name a file that `--report run.json` wrote.",
    )

"""The files of a project as another version of tasklib makes them: that version itself is asked."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tasklib import process
from tasklib.errors import TasklibError, UsageError
from tasklib.new.answers import Answers, written
from tasklib.pipeline.suites.python import uv

__all__ = ["rendered_by_its_version"]

_DISTRIBUTION = "tasklib-pytest"
"""The one with the code."""
_DEADLINE = 300.0


def rendered_by_its_version(answers: Answers) -> Mapping[str, str]:
    """The files that ``answers.version`` makes of ``answers``. Its wheel is fetched as uv is set up to fetch.

    Only its code is taken: what it needs is here. Raises :class:`~tasklib.errors.UsageError` where it cannot
    be had.
    """
    with tempfile.TemporaryDirectory(prefix="tasklib-new-") as folder:
        _fetch(answers.version, Path(folder))
        env = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        argv = (sys.executable, "-m", "tasklib.new")
        try:
            done = process.run(argv, cwd=Path(folder), env=env, stdin=written(answers), timeout=_DEADLINE)
            return dict(json.loads(done.stdout))
        except (TasklibError, ValueError) as error:
            raise UsageError(
                f"the templates of {_DISTRIBUTION} {answers.version} cannot be used by this version: {error}"
            ) from None


def _fetch(version: str, folder: Path) -> None:
    argv = (
        *(uv.program(), "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"),
        *("--python", sys.executable, "--target", str(folder), f"{_DISTRIBUTION}=={version}"),
    )
    done = process.run(argv, cwd=folder, timeout=_DEADLINE, check=False)
    if done.code:
        said = " ".join(done.stderr.split())
        raise UsageError(
            f"{_DISTRIBUTION} {version}, which made this project, cannot be fetched: {said}",
            remedy="uv needs an index that has it: your changes are found by comparing with its templates.",
        )

"""What an execution says of its targets without running them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, cast

import pytest

from tasklib.pipeline.options import Options
from tasklib.pipeline.targets import Execution
from tasklib.process import Cancel
from tasklib.project import Project, Service
from tasklib.results import Stage, Target


@pytest.mark.parametrize(
    ("program", "command"),
    [("invoke", "invoke test.unit --name api"), ("nox", "nox -s unit -- --name api")],
)
@pytest.mark.parametrize("fail_slow", [False, True])
def test_the_command_that_repeats_a_target_judges_it_alike(
    program: str, command: str, fail_slow: bool
) -> None:
    """A test that failed for being slow fails again when it is repeated as told."""
    project = Project(Path("/shop"), "shop", services=(Service("api", Path("/shop/services/api")),))
    options = Options(fail_slow=fail_slow, program=program)
    nobody = cast("Any", None)
    execution = Execution(project, options, nobody, nobody, Cancel(), nobody)
    told = shlex.split(execution.rerun(Target(Stage.UNIT, "api")))
    assert told == [*shlex.split(command), *(["--fail-slow"] if fail_slow else [])]

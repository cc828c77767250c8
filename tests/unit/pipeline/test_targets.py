"""What an execution says of its targets without running them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, cast

import pytest

from tasklib.options.caller import Caller
from tasklib.pipeline.options import Options
from tasklib.pipeline.targets import Execution
from tasklib.process import Cancel
from tasklib.project import Project, Service
from tasklib.results import Stage, Target


@pytest.mark.parametrize(
    ("caller", "command"),
    [
        (Caller(("invoke",), {"test.unit": "test.unit"}), "invoke test.unit --name api"),
        (Caller(("invoke",), {"test.unit": "checks.unit"}), "invoke checks.unit --name api"),
        (Caller(("shop",), {"test.unit": "quick"}), "shop quick --name api"),
        (Caller(("invoke",), {"test.service": "service"}), "tasklib test.unit --name api"),
        (Caller(("nox",), {"test.unit": "unit"}, sessions=True), "nox -s unit -- --name api"),
    ],
)
@pytest.mark.parametrize("fail_slow", [False, True])
def test_the_command_that_repeats_a_target_judges_it_alike(
    caller: Caller, command: str, fail_slow: bool
) -> None:
    """In the names of whatever program runs; one that failed for being slow fails again."""
    project = Project(Path("/shop"), "shop", services=(Service("api", Path("/shop/services/api")),))
    options = Options(fail_slow=fail_slow, caller=caller)
    nobody = cast("Any", None)
    execution = Execution(project, options, nobody, nobody, nobody, Cancel())
    told = shlex.split(execution.rerun(Target(Stage.UNIT, "api")))
    assert told == [*shlex.split(command), *(["--fail-slow"] if fail_slow else [])]


@pytest.mark.parametrize("name", ["x; touch pwned #", "$(touch pwned)", "-x", "a b", "--all", "it's"])
@pytest.mark.parametrize("sessions", [False, True])
def test_a_hostile_name_is_one_word_of_the_command_that_repeats_it(name: str, sessions: bool) -> None:
    """Whatever a service is called, the shell hands it over as a value of `--name`."""
    services = (Service(name, Path("/shop/x")), Service("api", Path("/shop/api")))
    options = Options(caller=Caller(("it",), {"test.unit": "unit"}, sessions=sessions))
    nobody = cast("Any", None)
    execution = Execution(Project(Path("/shop"), "shop", services), options, nobody, nobody, nobody, Cancel())
    words = shlex.split(execution.rerun(Target(Stage.UNIT, name)))
    words = words[words.index("unit") + 1 + sessions :]
    assert words in (["--name", name], [f"--name={name}"])

"""What pytest shows where it is asked for that, and what to type where it needs a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.errors import UsageError
from tasklib.options.caller import TASKLIB
from tasklib.pipeline.suites.by_hand import refuse_talking, show
from tasklib.pipeline.suites.planning import plan_suite
from tasklib.pipeline.suites.suite import Suite, SuiteOptions
from tasklib.process import Cancel
from tasklib.project import Project, Service, StageTests
from tasklib.results import Stage, Target

Plan = Callable[..., Suite]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """``plan("--pdb")`` is the service stage of a service whose command is this very pytest."""
    tests = tmp_path / "api/tests/integration"
    tests.mkdir(parents=True)
    (tests / "test_a.py").write_text("def test_first(): pass\n")
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    service = Service("api", tmp_path / "api", tests=StageTests((tests,), command))

    def work(*extra: str) -> Suite:
        project = Project(tmp_path, "shop", (service,))
        return plan_suite(project, Target(Stage.SERVICE, "api"), SuiteOptions(extra=extra))

    return work


def test_tests_are_shown_where_nobody_defines_integration(plan: Plan) -> None:
    """pytest knows the same options as when it runs them."""
    said: list[str] = []
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    code = show([plan("--collect-only", "-q")], env, said.append, Cancel())
    assert (code, said[:2]) == (0, ["service api:", "  tests/integration/test_a.py::test_first"])


@pytest.mark.parametrize(
    ("conftest", "there"),
    [
        ("", False),
        ("import pytest\n", False),
        (
            "def pytest_addoption(parser): parser.addoption('--db', '--integration', action='store_true')",
            True,
        ),
        ('def pytest_addoption(parser): parser.addoption("--integration", action="store_true")', True),
    ],
)
def test_a_line_to_type_has_integration_where_a_conftest_defines_it(
    plan: Plan, tmp_path: Path, conftest: str, there: bool
) -> None:
    """Above the tests as well as beside them; elsewhere pytest would not know the word."""
    (tmp_path / "api/conftest.py").write_text(conftest)
    with pytest.raises(UsageError) as refused:
        refuse_talking([plan("--pdb")], ("--pdb",), TASKLIB)
    assert " --pdb" in str(refused.value.remedy)
    assert (" --integration" in str(refused.value.remedy)) is there

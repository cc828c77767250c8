"""The environments that uv makes of what a project has, and suites in unusual places."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasklib.events import Event, Output
from tasklib.pipeline.runners import prepare_suite, run_suite
from tasklib.pipeline.suites.planning import plan_suite
from tasklib.pipeline.suites.suite import Preparation, Suite, SuiteKind, SuiteOptions
from tasklib.process import Cancel
from tasklib.project import Project, Service, StageTests
from tasklib.results import Outcome, Stage, Target
from tests.integration.suites.conftest import write

PYPROJECT = """
    [project]
    name = "service"
    version = "1"
    requires-python = ">=3.11"

    [project.optional-dependencies]
    test = ["pytest>=8", "iniconfig"]

    [tool.uv]
    package = false
"""
USES = "def test_it():\n    import iniconfig\n    import os\n    assert 'VIRTUAL_ENV' in os.environ\n"


def test_a_services_own_environment_is_used_and_kept(
    run: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`uv run` makes .venv in the service's folder with its test extra, whatever environment is active."""
    monkeypatch.setenv("VIRTUAL_ENV", "/nonexistent")
    check = f"def test_prefix():\n    import sys\n    assert sys.prefix == {str(folder / '.venv')!r}\n"
    write(folder, {"pyproject.toml": PYPROJECT})
    subprocess.run(["uv", "lock", "-q"], cwd=folder, check=True)
    files = {"tests/unit/test_a.py": USES, "tests/unit/test_b.py": check}
    ran = run(files, needs=())
    assert ran.result.outcome is Outcome.PASSED, ran.output
    assert "VIRTUAL_ENV" not in ran.output


def test_pytest_is_added_where_the_environment_lacks_it(run: Callable[..., Any]) -> None:
    """A project that lists only what it needs to run can be tested all the same."""
    pyproject = (
        "[project]\nname='service'\nversion='1'\ndependencies=['iniconfig']\n[tool.uv]\npackage=false\n"
    )
    ran = run({"pyproject.toml": pyproject, "tests/unit/test_a.py": USES}, needs=())
    assert ran.result.outcome is Outcome.PASSED, ran.output


def test_a_pyproject_that_describes_no_project_does_not_stand_in_the_way(run: Callable[..., Any]) -> None:
    """Tool settings beside requirements files: the requirements are the environment."""
    files = {"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-q'\n", "tests/unit/test_a.py": USES}
    ran = run(files, needs=("pytest>=9", "iniconfig"))
    assert ran.result.outcome is Outcome.PASSED, ran.output


def test_a_project_of_setup_py_is_installed(run: Callable[..., Any]) -> None:
    """Requirements files and setup.py together, as old repositories have them."""
    files = {
        "setup.py": "from setuptools import setup\nsetup(name='old', version='1', py_modules=['old'])\n",
        "old.py": "VALUE = 1\n",
        "tests/unit/test_a.py": "def test_a():\n    import old\n    assert old.VALUE == 1\n",
    }
    ran = run(files, "--import-mode=importlib", needs=("pytest>=9",))
    assert ran.result.outcome is Outcome.PASSED, ran.output


def test_files_are_relative_to_the_service_wherever_pytest_has_its_root(
    run: Callable[..., Any], folder: Path
) -> None:
    """A pytest.ini further up changes pytest's ids, not where the failure is."""
    folder.mkdir()
    (folder.parent / "pytest.ini").write_text("[pytest]\n")
    ran = run({"tests/unit/test_a.py": "def test_a():\n    assert 1 == 2\n"})
    [failure] = ran.result.failures
    assert failure.id == "service/tests/unit/test_a.py::test_a"
    assert (failure.file, failure.line) == ("tests/unit/test_a.py", 2)


def test_hostile_folder_names_are_only_names(tmp_path: Path) -> None:
    """Spaces, quotes, dashes, percent signs and dollar signs in the paths change nothing."""
    root = tmp_path / "my $(project) 'x' %s"
    unit = root / "-tests dir"
    unit.mkdir(parents=True)
    (unit / "test_a.py").write_text("def test_a(): pass\n")
    service = Service("x", root, unit=StageTests((unit,)))
    project = Project(root=root, name="x", services=(service,), single=True)
    suite = plan_suite(project, Target(Stage.UNIT, "x"), SuiteOptions(timeout=60))
    events: list[Event] = []
    result = run_suite(suite, os.environ, events.append, Cancel())
    assert result.outcome is Outcome.PASSED, [e.line for e in events if isinstance(e, Output)]


def test_what_several_suites_need_is_installed_once(tmp_path: Path) -> None:
    """Two suites that start together install one after the other, and the second finds all done."""
    source, stamp, log = tmp_path / "lock", tmp_path / "stamp", tmp_path / "log"
    source.touch()
    code = "import pathlib, time; time.sleep(0.5); open('log', 'a').write('x'); pathlib.Path('stamp').touch()"
    need = Preparation((sys.executable, "-c", code), tmp_path, source, stamp)
    suite = Suite(
        Target(Stage.UNIT, "web"), SuiteKind.COMMAND, ("true",), tmp_path, tmp_path, prepare=(need,)
    )
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda: results.append(prepare_suite(suite, os.environ, _ignore, Cancel())))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [None] * 3
    assert log.read_text() == "x"
    assert prepare_suite(suite, os.environ, _ignore, Cancel()) is None


def test_an_installation_that_failed_is_not_done(tmp_path: Path) -> None:
    """npm writes its stamp before the scripts that fail: the next run would test half an environment."""
    source, stamp = tmp_path / "lock", tmp_path / "stamp"
    source.touch()
    need = Preparation(("sh", "-c", "touch stamp; exit 1"), tmp_path, source, stamp)
    suite = Suite(
        Target(Stage.UNIT, "web"), SuiteKind.COMMAND, ("true",), tmp_path, tmp_path, prepare=(need,)
    )
    for _ in range(2):
        failed = prepare_suite(suite, os.environ, _ignore, Cancel())
        assert failed is not None
        assert failed.outcome is Outcome.ERROR


def _ignore(event: Event) -> None:
    """Nobody listens."""


def test_a_package_beside_the_tests_is_found_without_packaging(run: Callable[..., Any]) -> None:
    """As with `python -m pytest`, which many rely on: the folder that pytest is started in is on the path."""
    files = {
        "app/__init__.py": "VALUE = 1\n",
        "tests/unit/test_a.py": "from app import VALUE\n\ndef test_a(): assert VALUE == 1\n",
    }
    ran = run(files)
    assert ran.result.outcome is Outcome.PASSED, ran.output
    ran = run({}, "-n", "1", needs=("pytest", "pytest-xdist"))
    assert ran.result.outcome is Outcome.PASSED, ran.output

"""Real suites in folders of their own: written, planned and run as a project's target would be."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasklib.events import Event, Output, TestFinished, TestsCollected, TestStarted
from tasklib.pipeline.runners import run_suite
from tasklib.pipeline.suites.planning import plan_suite
from tasklib.pipeline.suites.suite import SuiteOptions
from tasklib.process import Cancel
from tasklib.project import Project, Service, StageTests
from tasklib.results import Stage, Target, TargetResult, TestOutcome, TestResult

CURRENT = "pytest>=9,<10"


@dataclass(frozen=True)
class Ran:
    """A finished suite with the events it told."""

    result: TargetResult
    events: tuple[Event, ...]

    @property
    def started(self) -> list[str]:
        return [event.id for event in self.events if isinstance(event, TestStarted)]

    @property
    def tests(self) -> list[TestResult]:
        return [event.result for event in self.events if isinstance(event, TestFinished)]

    @property
    def outcomes(self) -> dict[str, TestOutcome]:
        return {test.id: test.outcome for test in self.tests if test.outcome is not TestOutcome.RERUN}

    @property
    def totals(self) -> list[int]:
        return [event.total for event in self.events if isinstance(event, TestsCollected)]

    @property
    def output(self) -> str:
        return "\n".join(event.line for event in self.events if isinstance(event, Output))

    def test(self, name: str) -> TestResult:
        """The last result of the only test whose id ends so."""
        found = [test for test in self.tests if test.id.endswith(name)]
        assert len({test.id for test in found}) == 1, [test.id for test in self.tests]
        return found[-1]


Run = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the service of the test lives."""
    return tmp_path / "service"


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(files, ...)`` writes files into the service's folder and runs its suite of a stage."""
    for name in ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)

    def work(
        files: Mapping[str, str],
        *extra: str,
        needs: tuple[str, ...] = (CURRENT,),
        keyword: str = "",
        timeout: float | None = 60,
        stage: Stage = Stage.UNIT,
        command: tuple[str, ...] | None = None,
        cancel: Cancel | None = None,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> Ran:
        write(folder, files)
        if needs:
            write(folder, {"requirements.txt": "\n".join(needs)})
        tests = folder / "tests" / "integration"
        service = Service(
            "service",
            folder,
            unit=StageTests((folder / "tests" / "unit",), command),
            tests=StageTests((tests,), command) if tests.is_dir() else None,
        )
        project = Project(root=folder.parent, name="project", services=(service,))
        events: list[Event] = []

        def emit(event: Event) -> None:
            events.append(event)
            on_event(event)

        options = SuiteOptions(keyword=keyword, extra=extra, timeout=timeout)
        suite = plan_suite(project, Target(stage, "service"), options)
        result = run_suite(suite, dict(os.environ), emit, cancel or Cancel())
        return Ran(result, tuple(events))

    return work


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

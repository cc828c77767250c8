"""The stages as they are typed, in a project whose tests are commands: nothing of it needs an engine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ..conftest import Git
from .conftest import Type


def outcomes(lines: list[str]) -> list[str]:
    """Each line's beginning, up to what differs from run to run."""
    return [line.partition(" (")[0].partition(". Full log")[0] for line in lines]


def test_a_stage_that_passes_is_a_line_a_target(shop: Path, typed: Type) -> None:
    """All targets, or those that were named."""
    ran = typed("test.unit")
    assert sorted(outcomes(ran.lines)[:2]) == ["unit api: 1 passed", "unit web: 1 passed"]
    assert outcomes(ran.lines)[2] == "PASSED: 2 passed in 2 targets"
    assert (ran.code, ran.err) == (0, "")
    assert outcomes(typed("test.unit --name web").lines)[0] == "unit web: 1 passed"


def test_a_stage_that_fails_says_why_and_how_to_repeat_it(shop: Path, typed: Type) -> None:
    """The other target is tested all the same; the code is that of failed tests."""
    (shop / "services/api/run").write_text("echo three apples were two >&2\nexit 7\n")
    ran = typed("test.unit")
    assert ran.code == 1
    assert "unit web: 1 passed" in ran.out
    assert "three apples were two" in ran.out
    assert "tasklib test.unit --name api" in ran.out
    assert ran.lines[-1].startswith("FAILED (unit api)")


def test_what_failed_is_shown_again_without_running_anything(shop: Path, typed: Type) -> None:
    """The last run of this checkout, whole or its failures alone; before the first there is none."""
    assert typed("test.last").code == 2
    (shop / "services/api/run").write_text("echo three apples were two >&2\nexit 7\n")
    before = typed("test.unit")
    (shop / "services/api/run").write_text("rm -rf /nothing\n")
    again = typed("test.last")
    assert (again.code, again.lines) == (before.code, before.lines)
    failures = typed("test.last --failures")
    assert "three apples" in failures.out
    assert "unit web" not in failures.out


def test_what_passed_on_this_content_is_left_out_and_proven(shop: Path, typed: Type) -> None:
    """`--cached` runs what an edit touches, `test.proof` tells whether all of it passed just so."""
    assert typed("test.proof --stage unit").code in (1, 2)
    typed("test.unit")
    assert typed("test.proof").code == 0
    cached = typed("test.unit --cached --explain")
    assert [line.partition(" on all")[0].partition(" passed ")[0] for line in cached.err.splitlines()] == [
        "unit api: out:",
        "unit web: out:",
    ]
    assert cached.code == 0
    (shop / "services/web/run").write_text("echo other\n")
    assert typed("test.proof").code == 1
    rest = typed("test.unit --cached --explain")
    assert "unit web: in: services/web/run changed; it passed " in rest.err
    assert "unit web: 1 passed" in rest.out
    assert "unit api: 1 passed" not in rest.out


def test_only_what_a_change_touches(shop: Path, typed: Type, git: Git) -> None:
    """Nothing, one service, or the reason why each is in or out."""
    assert typed("test.unit --changed").lines == ["nothing to test: the change touches no unit tests"]
    (shop / "services/web/run").write_text("echo other\n")
    ran = typed("test.unit --changed --explain")
    assert outcomes(ran.lines)[0] == "unit web: 1 passed"
    assert ran.err.splitlines() == [
        "api: out: the changed file is not its own",
        "web: in: services/web/run changed",
    ]
    refused = typed("test.unit --explain")
    assert (refused.code, refused.err.splitlines()[0]) == (
        2,
        "error: --explain tells what --changed or --cached selects",
    )


def test_reports_are_written_also_where_there_was_nothing_to_do(
    shop: Path, typed: Type, tmp_path: Path
) -> None:
    """Whoever reads a report finds that of this run, not of the one before."""
    path = tmp_path / "run.xml"
    typed(f"test.unit --report {path}")
    assert ElementTree.parse(path).getroot().get("tests") == "2"
    assert typed(f"test.unit --changed --report {path}").code == 0
    assert ElementTree.parse(path).getroot().get("tests") == "0"


def test_events_as_json_lines(shop: Path, typed: Type) -> None:
    """One object a line and nothing else, from the plan to the result."""
    events = [json.loads(line)["event"] for line in typed("test.unit --format json").lines]
    assert (events[0], events[-1]) == ("run_started", "run_finished")
    assert events.count("target_finished") == 2


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("test.unit --dry", ["would run unit api", "would run unit web"]),
        (
            "test.unit --dry --verbose --jobs 3",
            ["would run unit api", "would run unit web", "  up to 3 at once"],
        ),
    ],
)
def test_a_dry_run_tells_and_runs_nothing(shop: Path, typed: Type, line: str, lines: list[str]) -> None:
    """Targets, and with --verbose in which order and how many at once."""
    (shop / "services/api/run").write_text("exit 1\n")
    ran = typed(line)
    assert (ran.code, ran.lines) == (0, lines)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("test.service", "no service tests in shop"),
        ("test.unit --name nope", "shop has no service 'nope'"),
        ("test.unit --report run.pdf", "unknown kind of report"),
    ],
)
def test_what_cannot_be_run_is_said_with_code_2(shop: Path, typed: Type, line: str, said: str) -> None:
    """Before anything runs."""
    ran = typed(line)
    assert (ran.code, said in ran.err, ran.out) == (2, True, "")


TESTS = """\
import pytest

def test_passes(): print("hello")
def test_fails(): assert [1, 2] == [1, 3]
@pytest.fixture
def broken(): raise RuntimeError("no such thing")
def test_breaks(broken): pass
@pytest.mark.skip(reason="later")
def test_skipped(): pass
@pytest.mark.xfail(strict=True)
def test_expected(): assert 0
"""


def test_pytest_is_watched_test_by_test(shop: Path, typed: Type, tmp_path: Path) -> None:
    """Every outcome is counted, each failure has its place, its values and the command that repeats it."""
    tests = shop / "services/api/tests/unit"
    (tests / "test_it.py").write_text(TESTS)
    pyproject = shop / "pyproject.toml"
    command = json.dumps([sys.executable, "-m", "pytest"])
    pyproject.write_text(pyproject.read_text().replace('["sh", "run"]', command, 1))
    report = tmp_path / "run.json"
    ran = typed(f"test.unit --name api --durations 2 --report {report}")
    assert ran.code == 1
    assert ran.lines[0].startswith("unit api: FAILED, 1 failed, 1 error, 1 passed, 1 skipped, 1 xfailed")
    assert "services/api/tests/unit/test_it.py:4" in ran.out
    assert "assert [1, 2] == [1, 3]" in ran.out
    assert "RuntimeError: no such thing" in ran.out
    assert "tasklib test.unit --name api -k test_fails" in ran.out
    assert "slowest tests:" in ran.out
    [target] = json.loads(report.read_text())["targets"]
    assert {test["id"].rpartition("::")[2]: test["outcome"] for test in target["tests"]} == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_breaks": "error",
        "test_skipped": "skipped",
        "test_expected": "xfailed",
    }

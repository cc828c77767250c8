"""What would run where, tried in a copy: what is told of runners' answers, and what forbids stages to run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tasklib import process
from tasklib.adopt import checking
from tasklib.adopt.checking import Checked, check
from tasklib.adopt.collecting import collector, listing
from tasklib.adopt.proposal import Proposal
from tasklib.adopt.survey import survey
from tasklib.errors import ConfigError, EngineError
from tests.integration.projects import write

SHOP = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n',
    "tests/unit/test_a.py": "def test_a(): pass\n",
}
Answer = process.Completed | Exception
Listing = Callable[[Answer], list[tuple[str, ...]]]


def answer(code: int, out: str = "", err: str = "") -> process.Completed:
    return process.Completed(("x",), code, out, err)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Listing:
    """``runner(answer)`` lets every runner of tests give it; what was started is in the list."""

    def stand_in(given: Answer) -> list[tuple[str, ...]]:
        started: list[tuple[str, ...]] = []

        def run(argv: tuple[str, ...], **_: Any) -> process.Completed:
            started.append(tuple(argv))
            if isinstance(given, Exception):
                raise given
            return given

        monkeypatch.setattr(checking, "process", SimpleNamespace(**{**vars(process), "run": run}))
        return started

    return stand_in


def checked(root: Path, files: Mapping[str, str], proposal: Proposal | None = None) -> list[Checked]:
    write(root, files)
    return list(check(root, survey(root), proposal or Proposal(), process.Cancel()))


@pytest.mark.parametrize(
    ("given", "told", "failed"),
    [
        (answer(0, "tests/unit/test_a.py::test_a\n\n3 tests collected in 0.01s\n"), "3 tests", False),
        (answer(0, "1/4 tests collected (3 deselected) in 0.01s\n"), "1 test", False),
        (answer(0, "tests/unit/test_a.py: 2\ntests/unit/test_b.py: 3\n\n"), "5 tests", False),
        (answer(0, "<Dir a>\n  <Module b>\n    <Function c>\n    <Coroutine d>\n"), "2 tests", False),
        (answer(0, "all is well\n"), "collected", False),
        (answer(5, "no tests collected in 0.01s\n"), "pytest finds no test there", True),
        (
            answer(2, "E   ModuleNotFoundError: No module named 'shop'\nERROR tests/unit/test_a.py\n"),
            "pytest cannot collect it: ModuleNotFoundError: No module named 'shop'",
            True,
        ),
        (
            answer(2, "", "Using Python 3\nerror: no wheels of x\n"),
            "not collected: error: no wheels of x",
            False,
        ),
        (answer(2, "what is this\n"), "not collected: what is this", False),
        (answer(9), "not collected: exit code 9", False),
        (process.CommandError(answer(127)), "not collected: ", False),
        (process.TimedOut(["pytest"], 180), "not collected: it takes too long", False),
    ],
)
def test_what_pytest_answers_is_told(
    tmp_path: Path, runner: Listing, given: Answer, told: str, failed: bool
) -> None:
    """How many tests there are, or why not; what is wrong with the tests fails, what is missing here not."""
    started = runner(given)
    (found,) = checked(tmp_path, SHOP)
    assert found.line.startswith("unit shop: tests/unit/, ")
    assert f"({told}" in found.line
    assert found.failed is failed
    assert "--collect-only" in started[-1]


def package(script: str) -> dict[str, str]:
    text = json.dumps({"name": "web", "scripts": {"test": script}})
    return {"package.json": text, "tests/unit/a.test.js": "", "tests/unit/b.test.js": ""}


@pytest.mark.parametrize(
    ("script", "told"),
    [("jest", "not collected: node_modules is missing"), ("node --test", "2 test files; node's own runner")],
)
def test_what_node_cannot_list_is_told(tmp_path: Path, runner: Listing, script: str, told: str) -> None:
    """Before anything is started."""
    started = runner(answer(0))
    (found,) = checked(tmp_path, package(script))
    assert (told in found.line, found.failed, started) == (True, False, [])


@pytest.mark.parametrize(
    ("given", "told", "failed"),
    [
        (answer(0, "/x/a.test.js\n\n/x/b.test.js\n"), "(2 test files)", False),
        (answer(0, "\n"), "(jest finds no test there)", True),
        (answer(1), "(not collected: `jest` cannot list them)", False),
    ],
)
def test_what_jest_lists_is_counted(
    tmp_path: Path, runner: Listing, given: Answer, told: str, failed: bool
) -> None:
    """By the jest that the repository has installed."""
    started = runner(given)
    (found,) = checked(tmp_path, {**package("jest"), "node_modules/.bin/jest": ""})
    assert (told in found.line, found.failed) == (True, failed)
    assert "--listTests" in started[-1]


def test_a_command_of_the_projects_own_is_named(tmp_path: Path, runner: Listing) -> None:
    """Nothing is started: whatever it is, it would run the tests."""
    started = runner(answer(0))
    settings = '[tool.tasklib]\nname = "shop"\ncommand = ["make", "check"]\n'
    (found,) = checked(tmp_path, {"pyproject.toml": settings, "tests/unit/check.txt": ""})
    assert found == Checked("unit shop: tests/unit/, make check (`make` cannot list tests)")
    assert started == []


def test_the_proposal_counts_and_the_repository_stays(tmp_path: Path, runner: Listing) -> None:
    """What it writes, removes and copies is so in the copy alone."""
    started = runner(answer(0, "1 test collected\n"))
    files = {**SHOP, "tests/unit/test_b.py": "", ".env.example": "A=1\n", "tasks.py": "broken"}
    settings = SHOP["pyproject.toml"] + '[tool.tasklib]\nunit = "checks"\n'
    changes = {"pyproject.toml": settings, "checks/test_c.py": "", "tasks.py": None}
    (found,) = checked(tmp_path, files, Proposal(files=changes, copies={".env": ".env.example"}))
    assert found.line.startswith("unit shop: checks/, ")
    assert started
    assert not (tmp_path / "checks").exists()
    assert not (tmp_path / ".env").exists()
    assert (tmp_path / "tasks.py").read_text() == "broken"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"README.md": ""}, "no services and no tests found here"),
        ({"pyproject.toml": "[tool.tasklib]\nnope = 1\n"}, "pyproject.toml"),
    ],
)
def test_where_nothing_can_run(tmp_path: Path, runner: Listing, files: Mapping[str, str], told: str) -> None:
    """Said as a failure, with the repository's own paths."""
    runner(answer(0))
    (found,) = checked(tmp_path, files)
    assert (told in found.line, found.failed) == (True, True)
    assert str(tmp_path) not in found.line
    assert "tasklib-" not in found.line.replace("tool.tasklib-", "")


@pytest.mark.parametrize(
    ("error", "told", "failed"),
    [
        (
            EngineError("no docker compose"),
            "not checked, since Compose is not there: no docker compose",
            False,
        ),
        (ConfigError("services must be a mapping"), "services must be a mapping", True),
    ],
)
def test_a_stack_that_cannot_be_rendered(
    tmp_path: Path,
    runner: Listing,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    told: str,
    failed: bool,
) -> None:
    """Without Compose nothing is known of it; what is wrong with its files keeps the stage from running."""
    runner(answer(0, "1 test collected\n"))

    def refused(*_: object) -> None:
        raise error

    monkeypatch.setattr(checking, "prepare", refused)
    files = {
        **SHOP,
        "tests/integration/test_i.py": "def test_i(): pass\n",
        "deploy/test/docker-compose.yml": "services: {db: {image: postgres}}\n",
    }
    *suites, stack = checked(tmp_path, files)
    assert len(suites) == 2
    assert stack == Checked(told, failed)


INSIDE = {
    "pyproject.toml": '[project]\nname = "shop"\n[tool.tasklib]\nin = "web"\ncommand = ["pytest", "-q"]\n',
    "docker-compose.yml": "services: {web: {build: .}}\n",
}


@pytest.mark.parametrize(
    ("given", "told", "failed"),
    [
        (answer(0, "2 tests collected in 0.01s\n"), "(2 tests)", False),
        (
            answer(4, "", "E   ImportError: no shop\n"),
            "(pytest cannot collect it: ImportError: no shop)",
            True,
        ),
        (answer(2, "E   OSError: no such host db\n"), "(pytest cannot collect it: OSError: no ", False),
        ("its image x:1 is not here yet", "(not collected: its image x:1 is not here yet)", False),
    ],
)
def test_what_a_container_answers_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Any, told: str, failed: bool
) -> None:
    """Only what no stack would mend fails the check: tests are collected without one."""
    called: list[Any] = []

    def collected(*arguments: Any) -> Any:
        called.append(arguments)
        return given

    def unrendered(*_: object) -> None:
        raise EngineError("no docker compose")

    monkeypatch.setattr(checking, "collected_inside", collected)
    monkeypatch.setattr(checking, "prepare", unrendered)
    found, _ = checked(tmp_path, INSIDE)
    assert told in found.line
    assert found.failed is failed
    ((_, service, argv, *_),) = called
    assert (service, argv[:2], argv[-1]) == ("web", ("pytest", "-q"), "no:cacheprovider")


@pytest.mark.parametrize(
    ("words", "added"),
    [
        ("python -m pytest tests", ["--collect-only", "-q", "-p", "no:cacheprovider"]),
        ("jest --ci", ["--listTests"]),
        ("python manage.py test", None),
        ("go test ./...", None),
        ("", None),
    ],
)
def test_how_a_runner_lists_its_tests(words: str, added: list[str] | None) -> None:
    """pytest and jest can; of others nothing is started."""
    assert list(listing(words.split())) == ([*words.split(), *added] if added else [])


def test_a_container_that_collects_leaves_nothing_in_the_copy() -> None:
    """Its files would be root's: folders are read-only there, and Python keeps nothing beside its sources."""
    service = {
        "image": "x",
        "volumes": [
            {"type": "bind", "source": "/copy", "target": "/app"},
            {"type": "bind", "source": "/copy/data", "target": "/data", "read_only": False},
            {"type": "volume", "source": "cache", "target": "/cache"},
        ],
        "environment": {"PYTHONDONTWRITEBYTECODE": ""},
        "networks": {"default": None},
    }
    made = collector(service, ("pytest",), {"A": "1"})
    assert [(bind["target"], bind["read_only"]) for bind in made["volumes"]] == [
        ("/app", True),
        ("/data", True),
    ]
    assert made["environment"] == {"A": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    assert (made["network_mode"], made.get("networks")) == ("none", None)


def test_a_setup_step_whose_program_is_not_here_fails(
    tmp_path: Path, runner: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the first run says so once its stack is up; what is in the folder, or in a container, is there."""
    steps = '[["no-such-tool", "up"], ["./seed.sh"], { in = "db", run = ["no-such-tool"] }]'
    settings = f'[tool.tasklib]\nintegration = "tests"\nsetup = {steps}\n'
    files = {"pyproject.toml": settings, "tests/test_a.py": "", "seed.sh": "#!/bin/sh\n"}
    write(tmp_path, {**files, "compose.yml": "services: {db: {image: redis}}\n"})
    (tmp_path / "seed.sh").chmod(0o755)
    runner(answer(0, "1 test collected\n"))

    def unrendered(*_: object) -> None:
        raise EngineError("no docker compose")

    monkeypatch.setattr(checking, "prepare", unrendered)
    found = [line.line for line in checked(tmp_path, {}) if line.failed]
    what = "its setup `no-such-tool up` needs `no-such-tool`, which is not installed"
    assert found == [f"integration {tmp_path.name}: {what}"]


@pytest.mark.parametrize(("stage", "failed"), [("unit", True), ("integration", False)])
def test_tests_that_connect_when_they_are_loaded(
    stage: str, failed: bool, tmp_path: Path, runner: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only with the stack they can be collected."""
    runner(answer(2, "E   OperationalError: connection refused\n"))

    def unrendered(*_: object) -> None:
        raise EngineError("no docker compose")

    monkeypatch.setattr(checking, "prepare", unrendered)
    files = {
        "pyproject.toml": SHOP["pyproject.toml"],
        f"tests/{stage}/test_a.py": "",
        "compose.yml": "services: {}\n",
    }
    found = next(line for line in checked(tmp_path, files) if line.line.startswith(stage))
    assert (found.failed, "connection refused" in found.line) == (failed, True)

"""Which stack pytest is given, by the tests that it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tasklib.errors import ConfigError, UsageError
from tasklib.lending.choice import Wanted, choose
from tasklib.project import Project, find_project

FILES = (
    "deploy/test/docker-compose.yml",
    "services/api/deploy/test/docker-compose.yml",
    "services/api/tests/integration/test_api.py",
    "services/api/tests/unit/test_price.py",
    "services/web/deploy/test/docker-compose.yml",
    "services/web/tests/integration/test_page.py",
    "tests/integration/test_shop.py",
)
MARKED = "services/api/tests/integration/test_checkout.py"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """api, with a test marked for the full stack, and web."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / MARKED).write_text("pytestmark = pytest.mark.fullstack")
    monkeypatch.chdir(tmp_path)
    return find_project(tmp_path)


def chosen(project: Project, stack: str, paths: Sequence[str], marks: str = "") -> str | None:
    """The stack's title."""
    found = choose(project, Wanted(stack, tuple(project.root / path for path in paths), marks))
    return found.plan.title if found else None


@pytest.mark.parametrize(
    ("path", "marks", "stack"),
    [
        ("services/web", "", "the stack of web"),
        ("services/web/tests/integration/test_page.py", "slow", "the stack of web"),
        ("services/api/tests/unit", "", None),
        ("services/api", "not fullstack", "the stack of api"),
        ("services/api", "fullstack and not slow", "the full stack"),
        (MARKED, "", "the full stack"),
        (MARKED, "not fullstack", None),
        ("tests/integration/test_shop.py", "", "the full stack"),
        ("deploy", "", None),
    ],
)
def test_by_where_the_tests_are(project: Project, path: str, marks: str, stack: str | None) -> None:
    """A service's own, the full one for what is marked or the project's, none for the rest."""
    assert chosen(project, "auto", [path], marks) == stack


@pytest.mark.parametrize(
    ("paths", "commands"),
    [
        (
            ["services/api"],
            [
                "`pytest --stack own -m 'not fullstack' services/api/tests/integration`",
                f"`pytest --stack full {MARKED}`",
            ],
        ),
        (
            ["services/web", "tests"],
            [
                "`pytest --stack own services/web/tests/integration`",
                "`pytest --stack full tests/integration`",
            ],
        ),
    ],
)
def test_tests_of_several_stacks_are_refused(project: Project, paths: list[str], commands: list[str]) -> None:
    """With the commands that run them; each of those is a choice that is not refused."""
    with pytest.raises(UsageError) as caught:
        chosen(project, "auto", paths)
    assert caught.value.remedy == f"Run them one after another: {', '.join(commands)}"


def test_what_is_said_goes(project: Project) -> None:
    """`own` and `full` whatever the tests are; own is that of the service around."""
    assert chosen(project, "full", ["services/api/tests/unit"]) == "the full stack"
    assert chosen(project, "own", ["services/api/tests/unit"]) == "the stack of api"
    assert chosen(project, "own", ["services/api", "tests/integration"]) == "the stack of api"
    with pytest.raises(UsageError, match="no tests of a service's own stack in tests"):
        chosen(project, "own", ["tests"])
    with pytest.raises(UsageError, match="2 stacks"):
        chosen(project, "own", ["services"])


def test_a_single_service_has_one_stack(tmp_path: Path) -> None:
    """Own and full are the same; without any there is nothing to bring up."""
    (tmp_path / "tests/integration").mkdir(parents=True)
    (tmp_path / "tests/integration/test_it.py").touch()
    (tmp_path / "setup.py").touch()
    with pytest.raises(ConfigError, match="no full stack"):
        chosen(find_project(tmp_path), "own", ["tests"])
    assert chosen(find_project(tmp_path), "auto", ["tests"]) is None
    (tmp_path / "deploy/test").mkdir(parents=True)
    (tmp_path / "deploy/test/docker-compose.yml").touch()
    single = find_project(tmp_path)
    assert [chosen(single, stack, ["tests"]) for stack in ("own", "full", "auto")] == ["the full stack"] * 3
    assert chosen(single, "auto", ["tests/unit"]) is None

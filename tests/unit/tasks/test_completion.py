"""Values of options are completed from what is known of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.options.catalog import COMMANDS
from tasklib.tasks.completion import values

NAMED = {command.name: command for command in COMMANDS}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two services, which is where the shell is."""
    for name in ("api", "worker"):
        (tmp_path / "services" / name / "tests" / "unit").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("test.service --name", ("api", "worker")),
        ("test.service --name a", ("api", "worker")),
        ("test.service --name api", ()),
        ("test.service --name api --name", ("api", "worker")),
        ("infra.up --name", ("api", "worker")),
        ("test.unit --format", ("auto", "live", "plain", "json")),
        ("infra.up --env pr", ("test", "dev", "prod")),
        ("test.unit infra.up --env", ("test", "dev", "prod")),
        ("test.unit --env", ()),
        ("test.unit --changed", ()),
        ("test.unit -k", ()),
        ("infra.logs --name", ()),
        ("test.uni", ()),
        ("", ()),
    ],
)
def test_values(shop: Path, typed: str, found: tuple[str, ...]) -> None:
    """After an option that takes services or one of a few words, as the whole word or its beginning."""
    assert values(typed.split(), NAMED) == found


def test_a_broken_project_completes_nothing(shop: Path) -> None:
    """A shell has no place for what is wrong with it."""
    (shop / "pyproject.toml").write_text("[tool.tasklib]\nnonsense = 1\n")
    assert values(["test.service", "--name"], NAMED) == ()

"""A project of services without any stack, and what somebody types in it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasklib.tasks import program

from ..conftest import Git

PYPROJECT = """\
[tool.tasklib]
name = "shop"

[tool.tasklib.services.api]
command = ["sh", "run"]

[tool.tasklib.services.web]
command = ["sh", "run"]
"""


@dataclass(frozen=True)
class Typed:
    """What came of a command: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Type = Callable[..., Typed]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Type:
    """``typed("test.unit --name api")`` does what the command ``tasklib`` does, in this process."""

    def run(line: str) -> Typed:
        capsys.readouterr()
        words = ["tasklib", *line.split()]
        monkeypatch.setattr(sys, "argv", words)
        try:
            program.run(words)
            code = 0
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(bool(left.code))
        return Typed(code, *capsys.readouterr())

    return run


def write_shop(repository: Path, git: Git) -> None:
    (repository / "pyproject.toml").write_text(PYPROJECT)
    for name in ("api", "web"):
        folder = repository / "services" / name
        (folder / "tests" / "unit").mkdir(parents=True)
        (folder / "tests" / "unit" / "check.txt").write_text(name)
        (folder / "run").write_text("echo tested\n")
        (folder / "Dockerfile").write_text("FROM scratch\nCOPY run /\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "shop")


@pytest.fixture
def shop(tmp_path: Path, templates: Path, git: Git, request: pytest.FixtureRequest) -> Path:
    """Two services, each with a script that tests it and a Dockerfile, committed; the current folder."""
    if not (made := templates / "shop").exists():
        write_shop(request.getfixturevalue("repository").rename(made), git)
    root = Path(shutil.copytree(made, tmp_path / "repository"))
    request.getfixturevalue("monkeypatch").chdir(root)
    return root

"""Without git, and where nothing can be written, runs work and leave nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import NewProject
from ..projects import Checkout
from ..traces import Traces
from .support import FILES, gone_within

COMMANDS = {
    ("tasklib", "infra.id"): "",
    ("tasklib", "infra.up", "--name", "api"): "is up",
    ("tasklib", "infra.status"): "api: running",
    ("tasklib", "test.service"): "PASSED",
    ("nox", "--non-interactive", "-s", "service"): "PASSED",
    ("tasklib", "clean"): "removed 1 container",
    ("tasklib", "test.service", "--keep"): "PASSED",
    ("tasklib", "clean.stale"): "nothing is stale",
    ("tasklib", "infra.down"): "took down",
}


def works(checkout: Checkout, traces: Traces, state: Path) -> None:
    for argv, said in COMMANDS.items():
        ran = checkout.run(*argv)
        assert ran.code == 0, ran
        assert said in ran.text, ran
    assert not gone_within(traces, state)


@pytest.fixture
def plain(project: NewProject, token: str) -> Checkout:
    """A project whose tests pass at once, in a folder that names the token (its id without git)."""
    return project({**FILES, "services/api/tests.sh": "exit 0\n"}, name=f"p-{token}")


def test_without_git(plain: Checkout, traces: Traces, state: Path, token: str) -> None:
    """The folder names the instance."""
    shutil.rmtree(plain.root / ".git")
    assert plain.run("tasklib", "infra.id").out == f"p-{token}\n"
    works(plain, traces, state)


def test_without_a_git_program(plain: Checkout, traces: Traces, state: Path, tmp_path: Path) -> None:
    """A checkout on a machine without git is told by its files alone."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in plain.env["PATH"].split(":"):
        for program in Path(folder).glob("*") if Path(folder).is_dir() else ():
            if program.name != "git" and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    ran = plain.run("tasklib", "test.service", env={"PATH": str(programs)})
    assert ran.code == 0, ran
    assert not gone_within(traces, state)


@pytest.fixture
def read_only(plain: Checkout) -> Iterator[Checkout]:
    """The same, on a mount that nothing can be written to."""
    where = str(plain.root)
    mounted = subprocess.run(["mount", "--bind", where, where], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    subprocess.run(["mount", "-o", "remount,bind,ro", where], check=True)
    yield plain
    subprocess.run(["umount", "--lazy", where], check=True)


def test_read_only(read_only: Checkout, traces: Traces, state: Path) -> None:
    """The id of the checkout follows from what cannot change; nothing is written beside the code."""
    with pytest.raises(OSError, match="Read-only"):
        (read_only.root / "file").touch()
    works(read_only, traces, state)

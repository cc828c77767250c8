"""What a new worktree gets of the main one, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.siblings.include import bring_included

from ..conftest import Git


@pytest.fixture
def main(repository: Path, git: Git) -> Path:
    """A repository that ignores some files, and has them."""
    (repository / ".gitignore").write_text(".env\ncerts/\n*.local\nout\n")
    (repository / ".worktreeinclude").write_text(
        "# what services need\n.env\ncerts/*\n!certs/old.pem\nnotes\n"
    )
    (repository / "notes").write_text("not ignored")
    (repository / "services/api").mkdir(parents=True)
    (repository / "services/api/.env").write_text("A=1\n")
    (repository / "certs").mkdir()
    (repository / "certs/dev.pem").write_text("pem")
    (repository / "certs/dev.pem").chmod(0o600)
    (repository / "certs/old.pem").write_text("old")
    (repository / "mine.local").write_text("mine")
    git(repository, "add", ".gitignore", ".worktreeinclude")
    git(repository, "commit", "-qm", "lists")
    return repository


@pytest.fixture
def worktree(main: Path, git: Git, tmp_path: Path) -> Path:
    git(main, "worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    return tmp_path / "other"


def test_a_new_worktree_gets_what_is_listed_and_ignored(main: Path, worktree: Path) -> None:
    """Once, in one line, with the files' modes; not what git tracks or leaves untracked, nor exceptions."""
    assert bring_included(worktree, dry=True) == (
        f"would bring certs/dev.pem, services/api/.env from {main}, as .worktreeinclude says"
    )
    assert not (worktree / "certs").exists()
    said = bring_included(worktree)
    assert said == f"brought certs/dev.pem, services/api/.env from {main}, as .worktreeinclude says"
    assert (worktree / "services/api/.env").read_text() == "A=1\n"
    assert (worktree / "certs/dev.pem").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (worktree / "certs").iterdir()) == ["dev.pem"]
    assert not (worktree / "notes").exists()
    assert not (worktree / "mine.local").exists()
    (worktree / "services/api/.env").unlink()
    assert bring_included(worktree) == ""
    assert not (worktree / "services/api/.env").exists(), "who removed it wants it away"


def test_nothing_is_overwritten(main: Path, worktree: Path) -> None:
    """What is there is somebody's, a link that leads nowhere included."""
    (worktree / "services/api").mkdir(parents=True)
    (worktree / "services/api/.env").write_text("A=mine\n")
    (worktree / "certs").mkdir()
    (worktree / "certs/dev.pem").symlink_to("nowhere")
    assert bring_included(worktree) == ""
    assert (worktree / "services/api/.env").read_text() == "A=mine\n"
    assert not (worktree / "certs/dev.pem").exists()


def test_no_link_is_followed(main: Path, worktree: Path, tmp_path: Path, git: Git) -> None:
    """Neither out of the main checkout nor out of the new one."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (main / "certs/dev.pem").unlink()
    (main / "certs/dev.pem").symlink_to(outside / "secret")
    (main / "services/api/.env").unlink()
    (main / "services/api").rmdir()
    (main / "services/api").symlink_to(outside)
    (outside / ".env").write_text("A=outside")
    (main / "out").mkdir()
    (main / "out/.env").write_text("A=1")
    (worktree / "out").symlink_to(outside)
    assert bring_included(worktree) == ""
    assert (outside / ".env").read_text() == "A=outside"
    assert not (worktree / "services").exists()


@pytest.mark.parametrize("inside", ["", "services"])
def test_only_worktrees_get_anything(main: Path, inside: str) -> None:
    """The main checkout has what it has; without a list nobody gets anything."""
    assert bring_included(main / inside) == ""


def test_without_a_list_nothing_comes(main: Path, worktree: Path) -> None:
    """Nor from one that is a link."""
    (main / ".worktreeinclude").unlink()
    (worktree / ".worktreeinclude").unlink()
    assert bring_included(worktree) == ""
    (worktree / ".worktreeinclude").symlink_to(main / ".gitignore")
    assert bring_included(worktree) == ""
    assert not (worktree / "certs").exists()


def test_a_list_that_is_nobodys_but_the_main_checkouts(main: Path, worktree: Path) -> None:
    """It need not be tracked."""
    (worktree / ".worktreeinclude").unlink()
    assert bring_included(worktree).startswith("brought certs/dev.pem, ")


def test_many_files_are_one_line(main: Path, worktree: Path) -> None:
    """Three are named."""
    for number in range(5):
        (main / f"certs/{number}.pem").write_text("pem")
    assert "brought certs/0.pem, certs/1.pem, certs/2.pem and 4 more from" in bring_included(worktree)

"""The name of a checkout's exact content, asked of real repositories."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.changes.tree import differing, tree_of
from tasklib.checkout import find_checkout
from tasklib.errors import UsageError

Git = Callable[..., str]


@pytest.fixture
def name(repository: Path, tmp_path: Path) -> Callable[[], str]:
    """Tells the name of what the repository holds now."""
    (repository / ".gitignore").write_text("*.log\n")
    (repository / "tracked.py").write_text("one\n")
    return lambda: tree_of(find_checkout(repository), tmp_path / "store")


@pytest.mark.parametrize("file", ["tracked.py", "untracked.py", "a folder/ä.py"])
def test_an_edit_is_another_tree_and_taking_it_back_the_same_again(
    repository: Path, git: Git, name: Callable[[], str], file: str
) -> None:
    """Of committed files and of those that git has never heard of."""
    path = repository / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("one\n")
    git(repository, "add", "tracked.py")
    git(repository, "commit", "-qm", "tracked")
    before = name()
    path.write_text("two\n")
    edited = name()
    path.write_text("one\n")
    assert (edited != before, name()) == (True, before)


def test_committing_changes_nothing(repository: Path, git: Git, name: Callable[[], str]) -> None:
    """The content counts, not who knows of it; it is the name that git itself gives."""
    before = name()
    git(repository, "add", ".")
    assert name() == before
    git(repository, "commit", "-qm", "all")
    assert name() == before == git(repository, "rev-parse", "HEAD^{tree}").strip()


def test_ignored_files_do_not_count(repository: Path, name: Callable[[], str]) -> None:
    """What is ignored and in use is told apart elsewhere."""
    before = name()
    (repository / "run.log").write_text("lines")
    assert name() == before


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_was_told_to_overlook_counts(
    repository: Path, git: Git, name: Callable[[], str], flag: str
) -> None:
    """An edit that `git status` does not show is an edit."""
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "all")
    git(repository, "update-index", flag, "tracked.py")
    before = name()
    (repository / "tracked.py").write_text("two\n")
    assert name() != before


def test_the_repository_is_not_touched(repository: Path, git: Git, name: Callable[[], str]) -> None:
    """Neither its index nor its objects: nothing is staged, nothing is left to collect."""
    index = (repository / ".git" / "index").exists()
    objects = sorted(os.walk(repository / ".git" / "objects"))
    name()
    assert (repository / ".git" / "index").exists() == index
    assert sorted(os.walk(repository / ".git" / "objects")) == objects
    assert "?? tracked.py" in git(repository, "status", "--porcelain")


def test_a_submodule_counts_with_what_it_holds(
    repository: Path, tmp_path: Path, git: Git, name: Callable[[], str]
) -> None:
    """Also where git is told to ignore its changes."""
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q", "-b", "main")
    (library / "code.py").write_text("one\n")
    git(library, "add", ".")
    git(library, "commit", "-qm", "code")
    git(repository, "submodule", "--quiet", "add", str(library), "library")
    git(repository, "config", "submodule.library.ignore", "all")
    before = name()
    (repository / "library" / "code.py").write_text("two\n")
    assert name() != before


def test_what_differs_between_two_trees_is_told(
    repository: Path, tmp_path: Path, name: Callable[[], str]
) -> None:
    """Also where neither was ever committed; unknown is what the store does not hold."""
    checkout, store = find_checkout(repository), tmp_path / "store"
    before = name()
    (repository / "new.py").write_text("new\n")
    (repository / "tracked.py").unlink()
    after = name()
    assert differing(checkout, store, before, after) == (repository / "new.py", repository / "tracked.py")
    assert differing(checkout, store, before, before) == ()
    assert differing(checkout, tmp_path / "empty", before, after) is None


def test_outside_git_nothing_can_be_told(tmp_path: Path) -> None:
    """It is said where."""
    with pytest.raises(UsageError, match="only a git checkout"):
        tree_of(find_checkout(tmp_path), tmp_path / "store")

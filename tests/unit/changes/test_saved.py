"""What the user changed, told from everything that was written."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tasklib.changes.saved import Saved

from ..conftest import Git


@pytest.fixture
def root(repository: Path, git: Git) -> Path:
    (repository / ".gitignore").write_text("out/\n.env\n")
    (repository / "app.py").write_text("1")
    git(repository, "add", "--all")
    git(repository, "commit", "-qm", "files")
    return repository


def test_other_content_is_a_change(root: Path) -> None:
    """The same once more is none, nor is a folder; what is gone was changed."""
    (root / "edited.py").write_text("3")
    saved, app = Saved(root), root / "app.py"
    assert saved.changed([app, root, root / "edited.py"]) == ()
    app.write_text("2")
    assert saved.changed([app, app]) == (app,)
    app.unlink()
    assert saved.changed([app]) == (app,)
    assert saved.changed([app]) == ()


def test_another_branch(root: Path, git: Git) -> None:
    """What git itself writes is a change, although its index has that content, then."""
    git(root, "checkout", "-qb", "other")
    (root / "app.py").write_text("2")
    git(root, "commit", "-qam", "other")
    saved = Saved(root)
    git(root, "checkout", "-q", "-")
    assert saved.changed([root / "app.py"]) == (root / "app.py",)


def test_a_folder_that_is_moved_as_a_whole(root: Path, git: Git) -> None:
    """The system tells of the folder alone."""
    (root / "one").mkdir()
    (root / "one/app.py").write_text("1")
    git(root, "add", "--all")
    saved = Saved(root)
    git(root, "mv", "one", "two")
    assert saved.changed([root / "one", root / "two"]) == (root / "one/app.py", root / "two/app.py")
    (root / "two").rename(root / "three")
    assert saved.changed([root / "two", root / "three"]) == (root / "three/app.py", root / "two/app.py")


def test_ignored_files_are_none_but_variables(root: Path) -> None:
    """Stacks and tests read `.env` although git ignores it."""
    (root / "out").mkdir()
    (root / "out/app.log").write_text("x")
    (root / ".env").write_text("A=1")
    assert Saved(root).changed([root / "out/app.log", root / ".env"]) == (root / ".env",)


def test_what_tests_make_is_none(root: Path) -> None:
    """But what they, or the user meanwhile, write to a file that git tracks is, and a new file later on."""
    saved, new, app = Saved(root), root / "new.txt", root / "app.py"
    began = time.time()
    new.write_text("by tests")
    app.write_text("by the user")
    saved.tested(began - 1, time.time() + 1)
    assert saved.changed([new, app]) == (app,)
    new.write_text("by the user")
    assert saved.changed([new]) == (new,)
    saved.tested(0.0, 1.0)
    (root / "later.txt").write_text("by the user")
    assert saved.changed([root / "later.txt"]) == (root / "later.txt",)


def test_what_came_and_went_is_none(root: Path) -> None:
    """Nobody knows it."""
    assert Saved(root).changed([root / "passing.tmp"]) == ()


def test_odd_names(root: Path) -> None:
    """They are names, and no patterns."""
    odd = [root / name for name in ("a b.py", "*.py", ":(top)x", "ü.py")]
    saved = Saved(root)
    for path in odd:
        path.write_text("x")
    assert set(saved.changed(odd)) == set(odd)

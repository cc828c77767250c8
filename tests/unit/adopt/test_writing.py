"""Writing a proposal: all of it or nothing, and nothing that could be lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.adopt.survey import survey
from tasklib.adopt.writing import apply, refuse_unsafe
from tasklib.errors import UsageError
from tests.integration.projects import write

Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    write(tmp_path, {"Makefile": "test:\n\tpytest\n", "kept.txt": "kept\n"})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_files_are_made_changed_and_removed(repository: Path) -> None:
    """In folders that are not there yet, too; the mode of a file stays."""
    (repository / "kept.txt").chmod(0o755)
    apply(repository, {"a/b/c.yml": "new\n", "kept.txt": "changed\n", "Makefile": None}, {})
    assert (repository / "a/b/c.yml").read_text() == "new\n"
    assert (repository / "kept.txt").read_text() == "changed\n"
    assert os.access(repository / "kept.txt", os.X_OK)
    assert not (repository / "Makefile").exists()


def test_a_file_that_is_not_there_is_none_of_those_read(repository: Path) -> None:
    """Else the diff would change it where it has to make it, and git would refuse that."""
    assert set(survey(repository).texts) <= survey(repository).files


def test_what_fails_in_the_middle_leaves_everything_as_it_was(repository: Path) -> None:
    """The files before it have their contents again, folders that were made are gone."""
    before = {"kept.txt": "kept\n", "Makefile": "test:\n\tpytest\n"}
    files = {"kept.txt": "changed\n", "new/a.txt": "new\n", "Makefile": None, "kept.txt/below": "no folder\n"}
    with pytest.raises(UsageError, match="nothing was changed"):
        apply(repository, files, before)
    assert {path.name: path.read_text() for path in repository.iterdir() if path.is_file()} == before
    assert not (repository / "new").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: (root / "Makefile").write_text("test:\n\ttox\n"), "changed since it was read"),
        (lambda root: (root / "noxfile.py").write_text("mine\n"), "changed since it was read"),
        (lambda root: (root / "noxfile.py").symlink_to(root / "kept.txt"), "is a link"),
    ],
)
def test_what_was_not_read_is_not_overwritten(
    change: Callable[[Path], None], said: str, repository: Path
) -> None:
    """Neither what changed since, nor what is in the way."""
    evidence = survey(repository)
    change(repository)
    with pytest.raises(UsageError, match=said):
        refuse_unsafe(repository, {"Makefile": "", "noxfile.py": ""}, evidence)


def test_what_git_could_not_give_back_is_not_changed(repository: Path) -> None:
    """Files with changes that are not committed, and files that git does not know."""
    (repository / "Makefile").write_text("test:\n\ttox\n")
    (repository / "noxfile.py").write_text("mine\n")
    evidence = survey(repository)
    with pytest.raises(UsageError, match=r"not committed, .*: Makefile, noxfile\.py"):
        refuse_unsafe(repository, {"Makefile": "", "noxfile.py": "", "other": ""}, evidence)

"""The files that differ from where a branch left another one, in real repositories."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.changes.compared import changed_files, other_checkouts
from tasklib.checkout import existing_branch, find_checkout
from tasklib.errors import UsageError

Git = Callable[..., str]


def head(git: Git, folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD").strip()


def commit_file(git: Git, root: Path, name: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name)
    git(root, "add", "--", name)
    git(root, "commit", "-q", "-m", name)


def test_changed_files(repository: Path, git: Git) -> None:
    """Committed, staged, changed and untracked files since the fork are told; those of the base are not."""
    for name in ("kept", "edited", "gone"):
        commit_file(git, repository, name)
    git(repository, "branch", "base")
    commit_file(git, repository, "services/a b/committed")
    (repository / "edited").write_text("x")
    git(repository, "rm", "-q", "gone")
    (repository / "new").touch()
    (repository / ".gitignore").write_text("ignored\n")
    (repository / "ignored").touch()
    git(repository, "worktree", "add", "-q", str(repository.parent / "base"), "base")
    commit_file(git, repository.parent / "base", "theirs")
    found = changed_files(find_checkout(repository), "base")
    assert [str(path.relative_to(repository)) for path in found] == [
        ".gitignore",
        "edited",
        "gone",
        "new",
        "services/a b/committed",
    ]


@pytest.mark.parametrize("remote", ["origin", "upstream"])
def test_changed_against_a_remote_branch(repository: Path, git: Git, tmp_path: Path, remote: str) -> None:
    """A base that only the remote has is found there, whatever that is called."""
    git(tmp_path, "clone", "-q", "--origin", remote, str(repository), "clone")
    clone = tmp_path / "clone"
    git(clone, "switch", "-q", "-c", "work")
    git(clone, "branch", "-q", "-D", "main")
    commit_file(git, clone, "new")
    assert changed_files(find_checkout(clone), "main") == (clone / "new",)


def test_everything_is_new_on_an_unborn_branch(tmp_path: Path, git: Git) -> None:
    """Before the first commit every file counts as changed."""
    git(tmp_path, "init", "-q")
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    git(tmp_path, "add", "a")
    assert changed_files(find_checkout(tmp_path), "main") == (tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("base", ["absent", "--output=x", ""])
def test_no_such_base(repository: Path, base: str) -> None:
    """A base that does not exist is refused, also when it looks like an option."""
    with pytest.raises(UsageError, match="no branch or commit"):
        changed_files(find_checkout(repository), base)


def test_unrelated_base(repository: Path, git: Git) -> None:
    """A base without common history (a shallow clone) is refused with the remedy."""
    git(repository, "switch", "-q", "--orphan", "island")
    git(repository, "commit", "-q", "--allow-empty", "-m", "x")
    with pytest.raises(UsageError, match="unshallow"):
        changed_files(find_checkout(repository), "main")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_another_owner(repository: Path) -> None:
    """In another user's repository git refuses to work: it is said how to let it."""
    for path in (repository, repository / ".git"):
        os.chown(path, 54321, 54321)
    with pytest.raises(UsageError, match=r"safe\.directory"):
        changed_files(find_checkout(repository), "main")


def test_a_branch_that_the_project_names_is_not_replaced(repository: Path) -> None:
    """Compared with another branch, a change could seem to touch nothing: what is missing is refused."""
    checkout = find_checkout(repository)
    with pytest.raises(UsageError, match="no branch or commit trunk"):
        changed_files(checkout, existing_branch(checkout, "trunk"))


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_overlooked_file(repository: Path, git: Git, flag: str) -> None:
    """A file that git was told to overlook has changed where it did; the index stays as it is."""
    for name in ("settings", "gone", "same"):
        commit_file(git, repository, name)
        git(repository, "update-index", flag, name)
    (repository / "settings").write_text("mine")
    (repository / "gone").unlink()
    found = changed_files(find_checkout(repository), head(git, repository))
    # What is skipped and not there is what a sparse checkout leaves out.
    gone = [repository / "gone"] if flag == "--assume-unchanged" else []
    assert list(found) == [*gone, repository / "settings"]
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("name", ["größe\n'\"\\", os.fsdecode(b"caf\xe9")])
def test_overlooked_file_of_any_name(repository: Path, git: Git, flag: str, name: str) -> None:
    """Also of one that is not UTF-8, which nobody can give back as it was read."""
    (repository / name).touch()
    git(repository, "add", "--all")
    git(repository, "commit", "-q", "-m", "a name")
    git(repository, "update-index", flag, name)
    (repository / name).write_text("mine")
    assert len(changed_files(find_checkout(repository), head(git, repository))) == 1


def test_changed_outside_git(tmp_path: Path) -> None:
    """Without git nothing can be compared."""
    with pytest.raises(UsageError, match="needs a git checkout"):
        changed_files(find_checkout(tmp_path), "main")


def test_unpushed_commits(repository: Path, git: Git, tmp_path: Path) -> None:
    """On the base branch, what is not pushed yet has changed; without a remote only what is not committed."""
    (repository / "pushed").touch()
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "pushed")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(repository), str(clone))
    (clone / "unpushed").touch()
    git(clone, "add", ".")
    git(clone, "commit", "-qm", "unpushed")
    branch = find_checkout(clone).branch
    assert branch is not None
    assert changed_files(find_checkout(clone), branch) == (clone / "unpushed",)
    git(clone, "branch", "--unset-upstream")
    assert changed_files(find_checkout(clone), branch) == (clone / "unpushed",)
    git(clone, "remote", "remove", "origin")
    assert changed_files(find_checkout(clone), branch) == ()


@pytest.mark.parametrize("how", ["moved", "dirty", "untracked"])
@pytest.mark.parametrize("setting", ["submodule.libs.ignore", "diff.ignoreSubmodules"])
def test_overlooked_submodule(repository: Path, git: Git, tmp_path: Path, how: str, setting: str) -> None:
    """A submodule that moved or holds changes has changed, whatever git is set to overlook."""
    inner = tmp_path / "inner"
    git(tmp_path, "init", "-q", str(inner))
    (inner / "a").touch()
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "a")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "libs")
    git(repository, "commit", "-qm", "libs")
    git(repository, "config", setting, "all")
    here = head(git, repository)
    assert changed_files(find_checkout(repository), here) == ()
    (repository / "libs" / ("b" if how == "untracked" else "a")).write_text("new")
    if how == "moved":
        git(repository / "libs", "commit", "-qam", "moved")
    assert changed_files(find_checkout(repository), here) == (repository / "libs",)


def test_worktrees_below_the_checkout(repository: Path, git: Git, tmp_path: Path) -> None:
    """They are other checkouts; a submodule, and what somebody cloned there, is a part of this one."""
    git(tmp_path, "init", "-q", "inner")
    git(tmp_path / "inner", "commit", "-q", "--allow-empty", "-m", "a")
    git(repository, "submodule", "--quiet", "add", str(tmp_path / "inner"), "libs")
    git(repository, "worktree", "add", "-q", "-b", "agent", ".claude/worktrees/agent")
    git(repository, "clone", "-q", str(tmp_path / "inner"), "vendor")
    changed = changed_files(find_checkout(repository), "main")
    agent = repository / ".claude/worktrees/agent"
    assert {agent, repository / "libs", repository / "vendor"} <= set(changed)
    assert other_checkouts(changed) == {agent}
    # From there, a submodule that nobody has fetched is no checkout of its own.
    git(repository, "commit", "-q", "-m", "libs")
    git(agent, "merge", "-q", "main")
    assert (agent / "libs").is_dir()
    assert not other_checkouts([agent / "libs"])

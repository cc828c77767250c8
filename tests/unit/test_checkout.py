"""Git facts, asked of real repositories."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from tasklib import checkout
from tasklib.checkout import Checkout, existing_branch, find_checkout, git_environment

Git = Callable[..., str]


@pytest.fixture(params=["git", "no git", "dubious owner"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Git as it is, missing, or refusing every repository; called after the repositories were made."""
    return str(request.param)


@pytest.fixture
def impair(how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    def now() -> None:
        if how == "no git":
            monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        elif how == "dubious owner":
            program = tmp_path / "bin" / "git"
            program.parent.mkdir()
            program.write_text(
                "#!/bin/sh\necho 'fatal: detected dubious ownership in repository' >&2\nexit 128\n"
            )
            program.chmod(0o755)
            monkeypatch.setenv("PATH", str(program.parent))

    return now


def head(git: Git, folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD").strip()


def test_branch(repository: Path, git: Git, impair: Callable[[], None]) -> None:
    """A branch is found from any folder of the checkout, with git and without."""
    git(repository, "switch", "-q", "-c", "feature/auth")
    deep = repository / "a" / "b"
    deep.mkdir(parents=True)
    impair()
    found = find_checkout(deep)
    assert (found.root, found.git_dir, found.branch) == (repository, repository / ".git", "feature/auth")


def test_commit(repository: Path, git: Git) -> None:
    """HEAD's commit is told in full."""
    found = find_checkout(repository)
    assert (found.commit, found.unborn) == (head(git, repository), False)


@pytest.mark.parametrize("reference", ["refs/heads/HEAD", "refs/tags/HEAD"])
def test_what_is_called_head(repository: Path, git: Git, reference: str) -> None:
    """A branch or a tag of that name, of which git warns, does not hide the branch that is checked out."""
    git(repository, "update-ref", reference, "HEAD")
    assert find_checkout(repository).branch == "main"


def test_one_question(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command asks where it is, several times: git is started once for it."""
    asked = Mock(side_effect=checkout.git)
    monkeypatch.setattr(checkout, "git", asked)
    assert find_checkout(repository).branch == "main"
    assert asked.call_count == 1


def test_detached(repository: Path, git: Git, impair: Callable[[], None]) -> None:
    """A detached HEAD has a commit and no branch."""
    git(repository, "switch", "-q", "--detach")
    commit = head(git, repository)
    impair()
    assert find_checkout(repository) == Checkout(repository, repository / ".git", None, commit)


def test_unborn(tmp_path: Path, git: Git, impair: Callable[[], None]) -> None:
    """A branch without commits is a branch."""
    git(tmp_path, "init", "-q", "-b", "feature/new")
    impair()
    found = find_checkout(tmp_path)
    assert (found.branch, found.commit) == ("feature/new", None)


def test_unborn_is_known(tmp_path: Path, git: Git) -> None:
    """Git tells a branch without commits from one with."""
    git(tmp_path, "init", "-q")
    assert find_checkout(tmp_path).unborn


def test_worktree(repository: Path, git: Git, tmp_path: Path, impair: Callable[[], None]) -> None:
    """A worktree has its own root, branch and git directory."""
    git(repository, "worktree", "add", "-q", "-b", "feature/b", str(tmp_path / "other"))
    impair()
    found = find_checkout(tmp_path / "other")
    assert (found.root, found.branch) == (tmp_path / "other", "feature/b")
    assert found.git_dir == repository / ".git" / "worktrees" / "other"


def test_worktree_of_a_bare_repository(
    repository: Path, git: Git, tmp_path: Path, impair: Callable[[], None]
) -> None:
    """The worktrees of a bare repository are checkouts."""
    git(tmp_path, "clone", "-q", "--bare", str(repository), "project/.bare")
    project = tmp_path / "project"
    git(project / ".bare", "worktree", "add", "-q", "-b", "feature/c", str(project / "c"))
    impair()
    found = find_checkout(project / "c")
    assert (found.root, found.branch) == (project / "c", "feature/c")


def test_bare_repository(repository: Path, git: Git, tmp_path: Path) -> None:
    """A bare repository, and a folder that only points at one, are no checkouts."""
    git(tmp_path, "clone", "-q", "--bare", str(repository), "project/.bare")
    (tmp_path / "project" / ".git").write_text("gitdir: ./.bare\n")
    for folder in (tmp_path / "project", tmp_path / "project" / ".bare"):
        assert find_checkout(folder) == Checkout(folder)


def test_submodule(repository: Path, git: Git, tmp_path: Path, impair: Callable[[], None]) -> None:
    """A submodule is a checkout of its own inside another."""
    inner = tmp_path / "inner"
    shutil.copytree(repository, inner)
    git(repository, "submodule", "--quiet", "add", str(inner), "libs/inner")
    impair()
    found = find_checkout(repository / "libs" / "inner")
    assert found.root == repository / "libs" / "inner"
    assert found.git_dir == repository / ".git" / "modules" / "libs" / "inner"
    assert found.branch == "main"


def test_no_git(tmp_path: Path, impair: Callable[[], None]) -> None:
    """Outside git the folder itself is the checkout."""
    impair()
    assert find_checkout(tmp_path) == Checkout(tmp_path)


def test_file(repository: Path) -> None:
    """A file belongs to the checkout of its folder."""
    (repository / "noxfile.py").touch()
    assert find_checkout(repository / "noxfile.py").root == repository


def test_link(repository: Path, tmp_path: Path) -> None:
    """A checkout reached through a link is the same checkout."""
    (tmp_path / "link").symlink_to(repository)
    assert find_checkout(tmp_path / "link") == find_checkout(repository)


def test_worktree_without_its_repository(repository: Path, git: Git, tmp_path: Path) -> None:
    """A worktree whose repository is not on this machine (a container's mount) still has a root."""
    git(repository, "worktree", "add", "-q", "-b", "b", str(tmp_path / "other"))
    repository.rename(tmp_path / "away")
    (tmp_path / "other" / "src").mkdir()
    assert find_checkout(tmp_path / "other" / "src") == Checkout(tmp_path / "other")


def test_hook_environment(
    repository: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that git sets for its hooks do not redirect us to another repository."""
    git(tmp_path, "init", "-q", "-b", "elsewhere", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    assert find_checkout(repository).branch == "main"


def test_environment_keeps_configuration() -> None:
    """How git is configured and authenticated is kept."""
    kept = {"GIT_CONFIG_COUNT": "0", "GIT_SSH_COMMAND": "ssh", "GIT_AUTHOR_NAME": "A", "HOME": "/h"}
    found = git_environment({**kept, "GIT_INDEX_FILE": "x", "GIT_CONFIG_PARAMETERS": "x"})
    assert kept.items() <= found.items()
    assert not {"GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS"} & found.keys()


@pytest.mark.parametrize("branch", ["$(reboot)", "a;b", "it's", "größe", "x" * 200, "a\u00a0b"])
def test_hostile_branch(repository: Path, git: Git, branch: str, impair: Callable[[], None]) -> None:
    """Any name git allows comes through as it is."""
    git(repository, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    impair()
    assert find_checkout(repository).branch == branch


def test_branch_in_another_encoding(repository: Path) -> None:
    """A branch whose name is not UTF-8 keeps its bytes."""
    (repository / ".git" / "HEAD").write_bytes(b"ref: refs/heads/gr\xf6\xdfe\n")
    assert find_checkout(repository).branch == "gr\udcf6\udcdfe"


def test_hostile_path(tmp_path: Path, git: Git) -> None:
    """A checkout's path may hold anything."""
    root = tmp_path / "-a b\n$(c)ö"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    assert find_checkout(root) == Checkout(root, root / ".git", "main", None, unborn=False)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_another_owner(repository: Path, git: Git) -> None:
    """In another user's repository, where git refuses to work, the branch is known all the same."""
    for path in (repository, repository / ".git"):
        os.chown(path, 54321, 54321)
    found = find_checkout(repository)
    assert (found.root, found.branch) == (repository, "main")


@pytest.mark.parametrize(
    ("branches", "found"),
    [
        (["main", "master"], "main"),
        (["master", "work"], "master"),
        (["trunk"], "trunk"),
        (["feature/a", "feature/b"], "main"),
    ],
)
def test_existing_branch(repository: Path, git: Git, branches: list[str], found: str) -> None:
    """Where the wanted branch is missing, master or the only branch takes its place."""
    git(repository, "switch", "-q", "-c", "first")
    for branch in branches:
        git(repository, "branch", "--force", branch)
    git(repository, "switch", "-q", branches[0])
    for branch in git(repository, "branch", "--format=%(refname:short)").split():
        if branch not in branches:
            git(repository, "branch", "-D", branch)
    assert existing_branch(find_checkout(repository), "main") == found


def test_a_branch_that_the_project_names_is_not_replaced(repository: Path, git: Git) -> None:
    """Compared with another branch, a change could seem to touch nothing: what is missing is refused."""
    checkout = find_checkout(repository)
    assert existing_branch(checkout, "--output=stolen") == "--output=stolen"


@pytest.mark.parametrize("remote", ["origin", "upstream"])
def test_existing_branch_of_the_remote(repository: Path, git: Git, tmp_path: Path, remote: str) -> None:
    """The remote's own choice comes before a master."""
    git(repository, "branch", "-m", "develop")
    git(repository, "branch", "master")
    git(tmp_path, "clone", "-q", "--origin", remote, str(repository), str(tmp_path / "clone"))
    assert existing_branch(find_checkout(tmp_path / "clone"), "main") == "develop"


@pytest.mark.parametrize("options", [["--single-branch"], ["--depth=1"], ["--depth=1", "--no-single-branch"]])
def test_the_only_branch_that_was_cloned_is_no_base(
    repository: Path, git: Git, tmp_path: Path, options: list[str]
) -> None:
    """Compared with itself it has not changed: what it left is to be fetched."""
    git(repository, "branch", "-m", "trunk")
    git(repository, "switch", "-q", "-c", "work")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--branch=work", *options, f"file://{repository}", str(clone))
    git(clone, "remote", "set-head", "origin", "--delete")
    if "--no-single-branch" in options:
        git(clone, "branch", "-rd", "origin/trunk")
    assert existing_branch(find_checkout(clone), "main") == "main"

"""Which checkout this is, and what its branch is called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.checkout import find_checkout
from tasklib.errors import ConfigError, UsageError
from tasklib.instance import identity
from tasklib.instance.identity import Identity, checkout_id, exports, known_id, raw_identity
from tasklib.instance.whereabouts import why_gone
from tasklib.isolation import IdSource, Instance, instance_id

Git = Callable[..., str]


def id_of(folder: Path) -> str:
    return checkout_id(find_checkout(folder))


def raw(folder: Path, **env: str) -> Identity:
    checkout = find_checkout(folder)
    return raw_identity(checkout, env, checkout_id(checkout))


class TestCheckoutId:
    def test_stays(self, repository: Path) -> None:
        """A checkout keeps its id, from any of its folders."""
        (repository / "a").mkdir()
        assert id_of(repository) == id_of(repository) == id_of(repository / "a")
        assert len(id_of(repository)) == 16

    def test_renamed(self, repository: Path, tmp_path: Path) -> None:
        """A renamed or moved checkout is the same checkout."""
        before = id_of(repository)
        (tmp_path / "elsewhere").mkdir()
        repository.rename(tmp_path / "elsewhere" / "renamed")
        assert id_of(tmp_path / "elsewhere" / "renamed") == before

    def test_copied(self, repository: Path, tmp_path: Path) -> None:
        """A copy is another checkout, and so is the copy of a copy; the original stays itself."""
        before = id_of(repository)
        shutil.copytree(repository, tmp_path / "copy")
        copy = id_of(tmp_path / "copy")
        shutil.copytree(tmp_path / "copy", tmp_path / "third")
        assert len({before, copy, id_of(tmp_path / "third")}) == 3
        assert (id_of(repository), id_of(tmp_path / "copy")) == (before, copy)

    def test_copied_into_its_place(self, repository: Path, tmp_path: Path) -> None:
        """The path alone says nothing: a copy at the old place of a moved checkout is another one."""
        before = id_of(repository)
        repository.rename(tmp_path / "moved")
        shutil.copytree(tmp_path / "moved", repository)
        assert id_of(tmp_path / "moved") == before
        assert id_of(repository) != before

    def test_worktrees(self, repository: Path, git: Git, tmp_path: Path) -> None:
        """Each worktree is a checkout; removing one takes its id with it."""
        git(repository, "worktree", "add", "-q", "-b", "b", str(tmp_path / "b"))
        git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "c"))
        ids = {id_of(folder) for folder in (repository, tmp_path / "b", tmp_path / "c")}
        assert len(ids) == 3
        before = id_of(tmp_path / "b")
        git(repository, "worktree", "move", str(tmp_path / "b"), str(tmp_path / "moved"))
        assert id_of(tmp_path / "moved") == before
        git(repository, "worktree", "remove", str(tmp_path / "moved"))
        git(repository, "worktree", "add", "-q", str(tmp_path / "b"), "b")
        assert id_of(tmp_path / "b") not in ids

    def test_copied_worktree(self, repository: Path, git: Git, tmp_path: Path) -> None:
        """A copied worktree shares the original's git directory and is yet another checkout."""
        git(repository, "worktree", "add", "-q", "-b", "b", str(tmp_path / "b"))
        before = id_of(tmp_path / "b")
        shutil.copytree(tmp_path / "b", tmp_path / "copy")
        assert id_of(tmp_path / "copy") != before
        assert id_of(tmp_path / "b") == before

    def test_submodule(self, repository: Path, git: Git, tmp_path: Path) -> None:
        """A submodule is not the checkout around it."""
        shutil.copytree(repository, tmp_path / "inner")
        git(repository, "submodule", "--quiet", "add", str(tmp_path / "inner"), "inner")
        assert id_of(repository / "inner") != id_of(repository)

    def test_clean_tree(self, repository: Path, git: Git) -> None:
        """The id dirties nothing."""
        id_of(repository)
        assert git(repository, "status", "--porcelain", "--ignored") == ""
        git(repository, "fsck", "--strict")

    def test_two_projects_in_one_checkout(self, repository: Path) -> None:
        """Each project of a checkout is told apart, and so are projects of one name in two checkouts."""
        (repository / "example").mkdir()
        checkout = find_checkout(repository)
        assert checkout_id(checkout, repository) == checkout_id(checkout)
        example = checkout_id(checkout, repository / "example")
        assert example not in ("", checkout_id(checkout))
        assert known_id(repository / "example") == example

    def test_another_host(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A checkout on a network folder is a checkout of its own on each host, and stays it."""
        ours = id_of(repository)
        monkeypatch.setattr(identity, "host_id", lambda: "another")
        theirs = id_of(repository)
        assert theirs != ours
        assert id_of(repository) == theirs
        monkeypatch.undo()
        assert id_of(repository) == ours

    @pytest.mark.parametrize(
        ("moves", "same"),
        [
            ({"device": 1}, True),
            ({"device": 1, "path": "/copy"}, False),
            ({"inode": 1}, False),
        ],
    )
    def test_device_number(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch, moves: dict[str, Any], same: bool
    ) -> None:
        """A disk that is mounted again may have another number: what lies where it lay is the same one."""
        before = id_of(repository)
        place = identity._place
        monkeypatch.setattr(identity, "_place", lambda root, new: replace(place(root, new), **moves))
        assert (id_of(repository) == before) is same

    def test_a_disk_that_is_mounted_elsewhere(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its folders keep their inodes, and nothing is left where they were."""
        (tmp_path / "disk").mkdir()
        repository.rename(tmp_path / "disk" / "shop")
        before = id_of(tmp_path / "disk" / "shop")
        (tmp_path / "disk").rename(tmp_path / "disk1")
        place = identity._place
        monkeypatch.setattr(identity, "_place", lambda root, new: replace(place(root, new), device=1))
        assert id_of(tmp_path / "disk1" / "shop") == before

    def test_a_checkout_of_another_user(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Root looks at a user's: nothing is left there that the user could not read."""
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        assert id_of(repository) == id_of(repository) == known_id(repository)
        assert not (repository / ".git" / "tasklib").exists()

    def test_an_id_that_another_user_keeps_for_himself(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever may not read it has one all the same, and another one."""
        theirs = id_of(repository)
        monkeypatch.setattr(os, "access", lambda *_: False)
        assert id_of(repository) == id_of(repository) == known_id(repository) != theirs

    def test_an_original_that_may_not_be_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder that is closed to us is not gone: what has its inode on another disk is a snapshot."""

        def closed(path: str) -> os.stat_result:
            raise PermissionError(path)

        assert identity._is_gone("/no/such/folder")
        monkeypatch.setattr("tasklib.instance.identity.os.lstat", closed)
        assert not identity._is_gone("/closed/folder")

    def test_read_only(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A checkout that cannot be written has an id all the same, and nothing is written."""
        monkeypatch.setattr(os, "access", lambda *_: False)
        assert id_of(repository) == id_of(repository) == known_id(repository)
        assert not (repository / ".git" / "tasklib").exists()

    def test_read_only_after_all(self, repository: Path) -> None:
        """A git directory that only seems writable is treated like one that is not."""
        (repository / ".git" / "tasklib").touch()
        assert id_of(repository) == id_of(repository) == known_id(repository)

    def test_no_git(self, tmp_path: Path) -> None:
        """Folders outside git have ids that differ and stay."""
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
        assert id_of(tmp_path / "a") == id_of(tmp_path / "a") == known_id(tmp_path / "a")
        assert id_of(tmp_path / "a") != id_of(tmp_path / "b")
        assert list((tmp_path / "a").iterdir()) == []

    def test_damaged(self, repository: Path) -> None:
        """An id that cannot be read any more is replaced."""
        before = id_of(repository)
        (kept,) = (repository / ".git" / "tasklib" / "places").iterdir()
        kept.write_text("{")
        assert id_of(repository) != before

    def test_known_id(self, repository: Path, tmp_path: Path) -> None:
        """Looking gives nobody an id of his own."""
        known_id(repository)
        assert not (repository / ".git" / "tasklib").exists()
        assert known_id(repository) != id_of(repository) == known_id(repository)
        assert known_id(tmp_path / "gone") is None

    def test_known_id_of_a_worktree_whose_repository_was_moved(
        self, repository: Path, git: Git, tmp_path: Path
    ) -> None:
        """Nobody knows whose it is, until `git worktree repair`: least of all that it is another one now."""
        tree, moved = tmp_path / "tree", tmp_path / "moved"
        git(repository, "worktree", "add", "-q", "--detach", str(tree))
        own = id_of(tree)
        repository.rename(moved)
        with pytest.raises(ConfigError, match="is not here"):
            known_id(tree)
        assert why_gone(own, str(tree)) == ""
        git(moved, "worktree", "repair", str(tree))
        assert known_id(tree) == own

    def test_at_the_same_moment(self, repository: Path) -> None:
        """Processes that ask first at the same moment get one id."""
        code = (
            "import sys; from pathlib import Path; from tasklib.checkout import find_checkout;"
            "from tasklib.instance.identity import checkout_id; c = find_checkout(Path(sys.argv[1]));"
            "print(flush=True); input(); print(checkout_id(c))"
        )
        running = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(repository)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for child in running:
            assert child.stdout
            child.stdout.readline()
        for child in running:
            assert child.stdin
            child.stdin.write("\n")
            child.stdin.flush()
        found = {child.communicate()[0] for child in running}
        assert found == {f"{id_of(repository)}\n"}


class TestOrder:
    """TEST_INSTANCE_ID, the branch, the CI system's branch, the commit, the folder."""

    def test_branch(self, repository: Path, git: Git) -> None:
        """The branch comes before anything a CI system says."""
        git(repository, "switch", "-q", "-c", "feature/auth")
        found = raw(repository, GITHUB_WORKSPACE=str(repository), GITHUB_REF_NAME="other")
        assert found == Identity("feature-auth", IdSource.BRANCH, "feature/auth")

    def test_unborn(self, tmp_path: Path, git: Git) -> None:
        """A branch without commits has a name."""
        git(tmp_path, "init", "-q", "-b", "new")
        assert raw(tmp_path) == Identity("new", IdSource.BRANCH, "new")

    def test_by_hand(self, repository: Path) -> None:
        """What the user set comes first, and is shared on purpose."""
        found = raw(repository, TEST_INSTANCE_ID="mine--42")
        assert found == Identity("mine--42", IdSource.ENVIRONMENT, "mine--42")
        assert found.shared
        assert not raw(repository).shared
        assert raw(repository, TEST_INSTANCE_ID="").source is IdSource.BRANCH

    @pytest.mark.parametrize("given", ["Main", "a/b", "-a", "a b", "a.b", "ä", "a_b", "a-", "a\n", "x" * 64])
    def test_by_hand_refused(self, repository: Path, given: str) -> None:
        """What cannot name a Compose project, or two of them, is wrong usage."""
        with pytest.raises(UsageError, match="TEST_INSTANCE_ID") as caught:
            raw(repository, TEST_INSTANCE_ID=given)
        assert caught.value.exit_code == 2

    @pytest.mark.parametrize(
        ("workspace", "variables", "expected"),
        [
            (
                "GITHUB_WORKSPACE",
                {"GITHUB_HEAD_REF": "feature/x", "GITHUB_REF_NAME": "12/merge"},
                "feature-x",
            ),
            ("GITHUB_WORKSPACE", {"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "main"}, "main"),
            (
                "GITHUB_WORKSPACE",
                {"GITEA_ACTIONS": "true", "GITHUB_REF_NAME": "v1.0"},
                instance_id("v1.0"),
            ),
            ("CI_PROJECT_DIR", {"CI_COMMIT_REF_NAME": "feature/y"}, "feature-y"),
            (
                "CI_PROJECT_DIR",
                {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/z", "CI_COMMIT_REF_NAME": "main"},
                "feature-z",
            ),
            ("WORKSPACE", {"GIT_BRANCH": "origin/feature/y"}, "feature-y"),
            ("WORKSPACE", {"CHANGE_BRANCH": "feature/y", "BRANCH_NAME": "PR-7"}, "feature-y"),
            ("BUILD_SOURCESDIRECTORY", {"BUILD_SOURCEBRANCH": "refs/heads/feature/y"}, "feature-y"),
            ("CIRCLE_WORKING_DIRECTORY", {"CIRCLE_BRANCH": "feature/y"}, "feature-y"),
            ("BITBUCKET_CLONE_DIR", {"BITBUCKET_BRANCH": "feature/y"}, "feature-y"),
            ("CI_WORKSPACE", {"CI_COMMIT_BRANCH": "feature/y"}, "feature-y"),
        ],
    )
    def test_ci(
        self, repository: Path, git: Git, workspace: str, variables: dict[str, str], expected: str
    ) -> None:
        """On a detached HEAD the CI system knows the branch."""
        git(repository, "switch", "-q", "--detach")
        found = raw(repository, **{workspace: str(repository)}, **variables)
        assert (found.id, found.source) == (expected, IdSource.CI)

    def test_a_folder_below_the_home(
        self, repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As CircleCI names its own."""
        git(repository, "switch", "-q", "--detach")
        monkeypatch.setenv("HOME", str(repository.parent))
        named = {"CIRCLE_WORKING_DIRECTORY": f"~/{repository.name}", "CIRCLE_BRANCH": "feature/y"}
        assert raw(repository, **named).id == "feature-y"

    def test_other_checkouts_of_a_job(self, repository: Path, git: Git, tmp_path: Path) -> None:
        """The CI system's branch is that of the job's own checkout, of no other one."""
        git(repository, "switch", "-q", "--detach")
        git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "other"))
        env = {"GITHUB_WORKSPACE": str(repository), "GITHUB_REF_NAME": "main"}
        assert raw(repository, **env).source is IdSource.CI
        assert raw(tmp_path / "other", **env).source is IdSource.WORKTREE
        assert raw(repository, GITHUB_REF_NAME="main").source is IdSource.COMMIT

    def test_worktree(self, repository: Path, git: Git, tmp_path: Path) -> None:
        """A linked worktree without a branch has the name that git gave it, wherever it is moved to."""
        git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "agent-1"))
        git(repository, "worktree", "move", str(tmp_path / "agent-1"), str(tmp_path / "moved"))
        assert raw(tmp_path / "moved") == Identity("agent-1", IdSource.WORKTREE, "agent-1")

    @pytest.mark.parametrize("backend", ["--merge", "--apply"])
    def test_rebase(self, repository: Path, git: Git, backend: str) -> None:
        """The branch that is being rebased names the instance, and so do the tests of `rebase --exec`."""
        git(repository, "switch", "-q", "-c", "feature/auth")
        for branch in ("feature/auth", "main"):
            git(repository, "switch", "-q", branch)
            (repository / "file").write_text(branch)
            git(repository, "add", "file")
            git(repository, "commit", "-q", "-m", branch)
        git(repository, "switch", "-q", "feature/auth")
        with pytest.raises(AssertionError, match=r"could not apply|Failed to merge"):
            git(repository, "rebase", "-q", backend, "main")
        assert find_checkout(repository).branch is None
        assert raw(repository) == Identity("feature-auth", IdSource.BRANCH, "feature/auth")
        git(repository, "rebase", "--abort")
        git(repository, "switch", "-q", "--detach")
        assert raw(repository).source is IdSource.COMMIT

    def test_bisection(self, repository: Path, git: Git) -> None:
        """So does the branch on which `git bisect run` began; one that began on none has none."""
        for number in range(4):
            git(repository, "commit", "-q", "--allow-empty", "-m", str(number))
        for start in ("main", "HEAD~0"):
            git(repository, "checkout", "-q", start)
            git(repository, "bisect", "start", "HEAD", "HEAD~4")
            assert find_checkout(repository).branch is None
            expected = IdSource.BRANCH if start == "main" else IdSource.COMMIT
            assert (raw(repository).source, raw(repository).id == "main") == (expected, start == "main")
            git(repository, "bisect", "reset")

    def test_commit(self, repository: Path, git: Git) -> None:
        """A detached HEAD is called by its commit."""
        git(repository, "switch", "-q", "--detach")
        commit = git(repository, "rev-parse", "HEAD").strip()
        assert raw(repository) == Identity(commit[:12], IdSource.COMMIT, commit)

    def test_folder(self, tmp_path: Path) -> None:
        """Outside git the folder's name is all there is, CI variables or not."""
        folder = tmp_path / "My Project"
        folder.mkdir()
        found = raw(folder, GITHUB_WORKSPACE=str(folder), GITHUB_REF_NAME="main")
        assert found == Identity(instance_id("My Project"), IdSource.FOLDER, "My Project")
        assert find_checkout(Path("/")).root.name == ""
        assert raw(Path("/")).id == instance_id("")


class TestExports:
    """What tasklib exports itself is told from what a user set."""

    def instance(self, folder: Path, name: str = "main") -> Instance:
        return Instance(name, id_of(folder))

    def test_in_the_same_checkout(self, repository: Path) -> None:
        """A nested run of the same checkout asks the branch again."""
        env = exports(self.instance(repository), IdSource.BRANCH)
        assert raw(repository, **env) == Identity("main", IdSource.BRANCH, "main", ignored="main")

    def test_in_another_checkout(self, repository: Path, tmp_path: Path, git: Git) -> None:
        """In another checkout it is ignored, also when it was set by hand in the first."""
        git(tmp_path, "init", "-q", "-b", "theirs", "other")
        for source in (IdSource.BRANCH, IdSource.ENVIRONMENT):
            env = exports(self.instance(repository, "set"), source)
            found = raw(tmp_path / "other", **env)
            assert (found.id, found.ignored, found.foreign) == ("theirs", "set", True)

    def test_set_by_hand_before(self, repository: Path) -> None:
        """An id set by hand stays set by hand in the runs below."""
        env = exports(self.instance(repository, "mine"), IdSource.ENVIRONMENT)
        assert raw(repository, **env) == Identity("mine", IdSource.ENVIRONMENT, "mine")

    def test_set_by_hand_after(self, repository: Path) -> None:
        """Setting the variable in a shell that tasklib's exports went to is setting it by hand."""
        env = {**exports(self.instance(repository), IdSource.BRANCH), "TEST_INSTANCE_ID": "mine"}
        assert raw(repository, **env) == Identity("mine", IdSource.ENVIRONMENT, "mine")
        env["TEST_INSTANCE_ID"] = ""
        assert raw(repository, **env) == Identity("main", IdSource.BRANCH, "main")

    def test_after_a_switch(self, repository: Path, git: Git) -> None:
        """A shell that has the id of the branch before follows the checkout."""
        env = exports(self.instance(repository), IdSource.BRANCH)
        git(repository, "switch", "-q", "-c", "next")
        assert raw(repository, **env) == Identity("next", IdSource.BRANCH, "next", ignored="main")

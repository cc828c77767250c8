"""One id, one checkout: claims on an engine that is only a dictionary here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasklib.checkout import find_checkout
from tasklib.errors import StackError
from tasklib.instance.claims import Claims, Holder, Resolved, lives, resolve
from tasklib.instance.identity import exports
from tasklib.isolation import IdSource, is_plain_id
from tasklib.state.liveness import current, identify
from tasklib.state.store import State, default_state

Git = Callable[..., str]
ENGINE = "ABCD:EFGH"


class Engine:
    """Who owns resources of which Compose project."""

    def __init__(self) -> None:
        self.owned: dict[str, set[str]] = {}

    def up(self, found: Resolved) -> None:
        self.owned.setdefault(found.instance.project(), set()).add(found.instance.checkout)

    def down(self, found: Resolved) -> None:
        self.owned.pop(found.instance.project(), None)

    def owners(self, project: str) -> set[str]:
        return self.owned.get(project, set())


@pytest.fixture
def state() -> State:
    return default_state()


@pytest.fixture
def claims(state: State) -> Claims:
    return Claims(state, ENGINE)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def clone(repository: Path, tmp_path: Path) -> Path:
    """A second checkout on the same branch."""
    return Path(shutil.copytree(repository, tmp_path / "clone"))


@pytest.fixture
def gone() -> Holder:
    """A run that was killed."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        identity = identify(child.pid)
        child.kill()
    assert identity
    return Holder("gone", identity)


def asked(folder: Path, **env: str) -> Resolved:
    return resolve(find_checkout(folder), env, engine=ENGINE, state=default_state())


def run(name: str = "run") -> Holder:
    return Holder(name, current())


class TestClaim:
    def test_first(self, repository: Path, claims: Claims, engine: Engine) -> None:
        """Who comes first gets the plain id and hears nothing."""
        found = claims.claim(asked(repository), engine.owners, run())
        assert (found.instance.id, found.instance.project(), found.notices) == ("main", "test-main", ())
        (claim,) = claims.all()
        assert (claim.project, claim.root, claim.instance) == ("test-main", str(repository), found.instance)

    def test_second(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """Who comes second gets the id with a hash, and one line that says why."""
        claims.claim(asked(repository), engine.owners, run())
        found = claims.claim(asked(clone), engine.owners, run())
        assert is_plain_id(found.instance.id)
        assert found.instance.id.startswith("main-")
        (notice,) = found.notices
        assert str(repository) in notice
        assert found.instance.project() in notice

    @pytest.mark.parametrize("kind", ["clone", "worktree", "repository", "folder"])
    def test_every_kind_of_second(
        self, repository: Path, git: Git, tmp_path: Path, claims: Claims, engine: Engine, kind: str
    ) -> None:
        """Clones, detached worktrees, other repositories and folders of one name never share."""
        other = tmp_path / "other" / "repository"
        other.parent.mkdir()
        first = repository
        if kind == "clone":
            git(tmp_path, "clone", "-q", str(repository), str(other))
        elif kind == "worktree":
            first = tmp_path / "first"
            for folder in (first, other):
                git(repository, "worktree", "add", "-q", "--detach", str(folder))
        elif kind == "repository":
            git(tmp_path, "init", "-q", "-b", "main", str(other))
        else:
            first = tmp_path / "a" / "repository"
            for folder in (first, other):
                folder.mkdir(parents=True)
        found = [claims.claim(asked(folder), engine.owners, run()) for folder in (first, other)]
        assert found[0].identity.id == found[1].identity.id
        assert found[0].instance.id != found[1].instance.id

    def test_branches_that_become_one_id(
        self, repository: Path, git: Git, clone: Path, claims: Claims, engine: Engine
    ) -> None:
        """``feature/a`` and ``feature-a`` are two."""
        git(repository, "switch", "-q", "-c", "feature/a")
        git(clone, "switch", "-q", "-c", "feature-a")
        ids = [
            claims.claim(asked(folder), engine.owners, run()).instance.id for folder in (repository, clone)
        ]
        assert ids[0] == "feature-a"
        assert ids[1] not in ids[:1]

    def test_two_branches_of_one_checkout(
        self, repository: Path, git: Git, claims: Claims, engine: Engine
    ) -> None:
        """A kept stack of ``feature/a`` is not that of ``feature-a`` after a switch."""
        git(repository, "switch", "-q", "-c", "feature/a")
        engine.up(claims.claim(asked(repository), engine.owners))
        git(repository, "switch", "-q", "-c", "feature-a")
        assert claims.claim(asked(repository), engine.owners).instance.id != "feature-a"

    def test_remembered(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """The id with a hash stays as long as it has resources, then the plain one is tried again."""
        first = claims.claim(asked(repository), engine.owners, run())
        second = claims.claim(asked(clone), engine.owners)
        engine.up(second)
        claims.release(first.instance, engine.owners, "run")
        assert asked(clone).instance == second.instance
        assert claims.claim(asked(clone), engine.owners).instance == second.instance
        engine.down(second)
        assert claims.claim(asked(clone), engine.owners).instance.id == "main"
        assert len(claims.all()) == 1

    def test_held_until_the_last_resource(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine
    ) -> None:
        """A kept stack keeps its id after its run."""
        first = claims.claim(asked(repository), engine.owners, run())
        engine.up(first)
        assert claims.release(first.instance, engine.owners, "run") is False
        assert claims.claim(asked(clone), engine.owners).instance.id != "main"
        engine.down(first)
        assert claims.release(first.instance, engine.owners, "run") is True
        assert claims.release(first.instance, engine.owners, "run") is True

    def test_held_by_two_runs(self, repository: Path, claims: Claims, engine: Engine) -> None:
        """Two runs of one checkout hold one claim; it ends with the second."""
        found = claims.claim(asked(repository), engine.owners, run("a"))
        assert claims.claim(asked(repository), engine.owners, run("b")).instance == found.instance
        assert claims.release(found.instance, engine.owners, "a") is False
        assert claims.release(found.instance, engine.owners, "b") is True
        assert claims.all() == ()

    def test_killed_run(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, gone: Holder
    ) -> None:
        """A killed run holds nothing once its resources are gone."""
        first = claims.claim(asked(repository), engine.owners, gone)
        engine.up(first)
        second = claims.claim(asked(clone), engine.owners, run())
        assert second.instance.id != "main"
        claims.release(second.instance, engine.owners, "run")
        engine.down(first)
        assert claims.claim(asked(clone), engine.owners, run()).instance.id == "main"

    def test_unknown_holder(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, gone: Holder
    ) -> None:
        """A run in another container may live: its claim is not taken over."""
        elsewhere = Holder("x", replace(gone.process, pid_namespace="another"))
        claims.claim(asked(repository), engine.owners, elsewhere)
        assert claims.claim(asked(clone), engine.owners).instance.id != "main"

    def test_deleted_checkout(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """The stack of a deleted checkout keeps the id until it is removed."""
        first = claims.claim(asked(repository), engine.owners)
        engine.up(first)
        shutil.rmtree(repository)
        assert claims.claim(asked(clone), engine.owners).instance.id != "main"
        engine.down(first)
        assert claims.claim(asked(clone), engine.owners).instance.id == "main"

    @pytest.mark.parametrize("owner", ["", "0123456789abcdef"])
    def test_resources_without_a_record(
        self, repository: Path, claims: Claims, engine: Engine, owner: str
    ) -> None:
        """What another user, or someone by hand, has up under the name is not taken for ours."""
        engine.owned["test-main"] = {owner}
        found = claims.claim(asked(repository), engine.owners)
        assert found.instance.id != "main"
        assert len(found.notices) == 1

    def test_own_resources_without_a_record(self, repository: Path, claims: Claims, engine: Engine) -> None:
        """Resources of this checkout whose record is lost are still its own."""
        engine.up(asked(repository))
        assert claims.claim(asked(repository), engine.owners).instance.id == "main"

    def test_nothing_free(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """When even the id with a hash belongs to someone else, the run ends with a reason."""
        with pytest.raises(StackError, match="belong to someone else") as caught:
            claims.claim(asked(repository), lambda project: {"other"})
        assert "TEST_INSTANCE_ID" in str(caught.value)
        assert claims.all() == ()

    def test_damaged_record(
        self, repository: Path, clone: Path, claims: Claims, state: State, engine: Engine
    ) -> None:
        """A claim that cannot be read any more is made up for by what is on the engine."""
        engine.up(claims.claim(asked(repository), engine.owners))
        (record,) = (state.root / "claims").glob("*/*.json")
        record.write_text("{")
        assert claims.claim(asked(clone), engine.owners).instance.id != "main"
        assert claims.claim(asked(repository), engine.owners).instance.id == "main"

    def test_engine_that_fails(self, repository: Path, claims: Claims) -> None:
        """An engine that cannot say who owns what claims nothing and blocks nobody."""

        def owners(project: str) -> set[str]:
            raise OSError("engine")

        with pytest.raises(OSError, match="engine"):
            claims.claim(asked(repository), owners)
        assert claims.claim(asked(repository), Engine().owners).instance.id == "main"

    def test_engines(self, repository: Path, clone: Path, state: State, engine: Engine) -> None:
        """One id on two engines disturbs nobody."""
        ids = [
            Claims(state, name).claim(asked(folder), engine.owners, run()).instance.id
            for name, folder in (("a", repository), ("b", clone))
        ]
        assert ids == ["main", "main"]


class TestExported:
    def test_held_without_a_run(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """An id given out for plain Compose is taken before anything of it is on the engine, and after."""
        first = claims.claim(asked(repository), engine.owners, exported=True)
        assert claims.release(first.instance, engine.owners, "run") is False
        second = claims.claim(asked(clone), engine.owners, exported=True)
        assert second.instance.id != "main"
        assert [str(repository) in notice for notice in second.notices] == [True]
        engine.up(first)
        engine.down(first)
        assert claims.claim(asked(clone), engine.owners, run()).instance == second.instance
        assert claims.claim(asked(repository), engine.owners).instance == first.instance

    def test_withdrawn(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """It is free once it is withdrawn and nothing of it is left."""
        first = claims.claim(asked(repository), engine.owners, exported=True)
        engine.up(first)
        claims.withdraw(first.instance, engine.owners)
        engine.down(first)
        assert asked(clone).instance.id != "main", "withdrawn while something of it was up"
        claims.withdraw(first.instance, engine.owners)
        assert claims.all() == ()
        assert claims.claim(asked(clone), engine.owners).instance.id == "main"

    def test_withdrawn_during_a_run(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine
    ) -> None:
        """A run holds on to what is withdrawn."""
        first = claims.claim(asked(repository), engine.owners, run(), exported=True)
        claims.withdraw(first.instance, engine.owners)
        assert claims.claim(asked(clone), engine.owners).instance.id != "main"
        assert claims.release(first.instance, engine.owners, "run") is True

    def test_stays_exported(self, repository: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """Neither a run nor the same id set by hand ends it."""
        git(repository, "switch", "-q", "-c", "feature/a")
        first = claims.claim(asked(repository), engine.owners, exported=True)
        claims.claim(asked(repository), engine.owners, run())
        claims.claim(asked(repository, TEST_INSTANCE_ID="feature-a"), engine.owners, run())
        assert claims.release(first.instance, engine.owners, "run") is False

    def test_deleted_checkout(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """A checkout that is gone holds nothing by variables."""
        claims.claim(asked(repository), engine.owners, exported=True)
        shutil.rmtree(repository)
        assert claims.claim(asked(clone), engine.owners).instance.id == "main"


class TestByHand:
    def test_shared(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """An id set by hand is shared by all that set it, and each of them can be found."""
        found = [
            claims.claim(asked(folder, TEST_INSTANCE_ID="main"), engine.owners, run())
            for folder in (repository, clone)
        ]
        for each in found:
            engine.up(each)
        assert [each.instance.id for each in found] == ["main", "main"]
        assert [each.notices for each in found] == [(), ()]
        assert {claim.checkout for claim in claims.all()} == {each.instance.checkout for each in found}

    def test_not_with_those_who_did_not(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine
    ) -> None:
        """A branch of that name does not join in."""
        claims.claim(asked(repository, TEST_INSTANCE_ID="main"), engine.owners, run())
        assert claims.claim(asked(clone), engine.owners, run()).instance.id != "main"

    def test_holders_stay(self, repository: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """Taking by hand what this checkout's branch has already does not end the first run's hold."""
        git(repository, "switch", "-q", "-c", "feature/a")
        first = claims.claim(asked(repository), engine.owners, run("a"))
        claims.claim(asked(repository, TEST_INSTANCE_ID="feature-a"), engine.owners, run("b"))
        assert claims.release(first.instance, engine.owners, "b") is False


class TestResolve:
    def test_claims_nothing(self, repository: Path, claims: Claims) -> None:
        """Looking claims nothing."""
        found = asked(repository)
        assert (found.instance.id, found.identity.source) == ("main", IdSource.BRANCH)
        assert claims.all() == ()

    def test_expects_the_hash(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """Before it comes up, a checkout is told the id that it will get."""
        claims.claim(asked(repository), engine.owners, run())
        expected = asked(clone).instance.id
        assert expected != "main"
        assert claims.claim(asked(clone), engine.owners).instance.id == expected

    def test_expects_the_plain_id_after_a_deleted_checkout(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, gone: Holder
    ) -> None:
        """A checkout that exists no longer, and whose runs are dead, is not reckoned with."""
        claims.claim(asked(repository), engine.owners, gone)
        assert asked(clone).instance.id != "main"
        shutil.rmtree(repository)
        assert asked(clone).instance.id == "main"

    def test_without_engine(self, repository: Path, clone: Path, state: State, engine: Engine) -> None:
        """Without an engine the claims on all of them count."""
        Claims(state, "a").claim(asked(repository), engine.owners, run())
        second = Claims(state, "a").claim(
            resolve(find_checkout(clone), {}, engine="a", state=state), engine.owners, run()
        )
        assert resolve(find_checkout(clone), {}, state=state).instance == second.instance
        assert resolve(find_checkout(clone), {}, engine="b", state=state).instance.id == "main"

    def test_after_a_switch(self, repository: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """The stack of the branch before stays findable by its checkout, and is there on the way back."""
        before = claims.claim(asked(repository), engine.owners)
        engine.up(before)
        git(repository, "switch", "-q", "-c", "next")
        now = asked(repository)
        assert now.instance.id == "next"
        assert [claim.id for claim in claims.of_checkout(now.instance.checkout)] == ["main"]
        git(repository, "switch", "-q", "main")
        assert asked(repository).instance == before.instance

    def test_moved(
        self, repository: Path, clone: Path, tmp_path: Path, claims: Claims, engine: Engine
    ) -> None:
        """A moved checkout keeps its claims, and is found at its new place from its first command on."""
        engine.up(claims.claim(asked(repository), engine.owners))
        (claim,) = claims.all()
        assert lives(claim) is True
        repository.rename(tmp_path / "moved")
        assert lives(claim) is False
        asked(tmp_path / "moved")
        (claim,) = claims.all()
        assert lives(claim) is True
        assert lives(replace(claim, host="another")) is None
        assert claims.claim(asked(clone), engine.owners).instance.id != "main"

    def test_replaced_checkout(self, repository: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """A new clone in the place of a deleted one is not the one that made the claim."""
        engine.up(claims.claim(asked(repository), engine.owners))
        shutil.rmtree(repository)
        repository.mkdir()
        git(repository, "init", "-q", "-b", "main")
        (claim,) = claims.all()
        assert lives(claim) is False
        assert claims.claim(asked(repository), engine.owners).instance.id != "main"

    def test_prefix(self, repository: Path, state: State) -> None:
        """A project's own prefix starts its names."""
        found = resolve(find_checkout(repository), {}, prefix="ci", state=state)
        assert found.instance.project("api") == "ci-main_api"

    def test_two_projects_in_one_checkout(
        self, repository: Path, state: State, claims: Claims, engine: Engine
    ) -> None:
        """Two projects of one checkout do not share their stacks either."""
        (repository / "example").mkdir()
        checkout = find_checkout(repository)
        found = [
            claims.claim(
                resolve(checkout, {}, folder=folder, engine=ENGINE, state=state), engine.owners, run()
            )
            for folder in (repository, repository / "example")
        ]
        assert found[0].instance.id != found[1].instance.id
        assert found[1].root == repository / "example"

    def test_exported_elsewhere(self, repository: Path, clone: Path, git: Git) -> None:
        """What another checkout exported is ignored with one line; a nested run here needs none."""
        env = exports(asked(repository).instance, IdSource.BRANCH)
        assert asked(repository, **env).notices == ()
        (notice,) = asked(clone, **env).notices
        assert notice == "TEST_INSTANCE_ID=main comes from another checkout and is ignored"
        git(repository, "switch", "-q", "-c", "next")
        (notice,) = asked(repository, **env).notices
        assert "another branch" in notice

    def test_exported_with_a_hash(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine
    ) -> None:
        """A nested run of the checkout that came second finds the id with the hash again, silently."""
        claims.claim(asked(repository), engine.owners, run())
        second = claims.claim(asked(clone), engine.owners, run())
        nested = asked(clone, **exports(second.instance, IdSource.BRANCH))
        assert (nested.instance, nested.notices) == (second.instance, ())

    @pytest.mark.parametrize("branch", ["$(reboot)", "a;b", "größe", "x" * 200, "-x/y"])
    def test_hostile_branch(
        self, repository: Path, clone: Path, git: Git, claims: Claims, engine: Engine, branch: str
    ) -> None:
        """Any branch can be claimed, twice."""
        for folder in (repository, clone):
            git(folder, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
        ids = {
            claims.claim(asked(folder), engine.owners, run()).instance.id for folder in (repository, clone)
        }
        assert len(ids) == 2
        assert all(is_plain_id(found) for found in ids)

    def test_names_that_are_no_text(self, tmp_path: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """A path and a branch whose bytes are not UTF-8 are claimed like others."""
        root = tmp_path / "gr\udcf6\udcdfe"
        root.mkdir()
        git(root, "init", "-q")
        (root / ".git" / "HEAD").write_bytes(b"ref: refs/heads/\xf6\n")
        found = claims.claim(asked(root), engine.owners, run())
        (claim,) = claims.all()
        assert (claim.whole, claim.root) == ("\udcf6", str(root))
        assert lives(claim) is True
        assert is_plain_id(found.instance.id)


CHILD = """
import json, sys
from pathlib import Path
from tasklib.checkout import find_checkout
from tasklib.instance.claims import Claims, Holder, resolve
from tasklib.state.liveness import current
from tasklib.state.store import default_state
folder, engine = sys.argv[1:]
found = resolve(find_checkout(Path(folder)), {}, engine=engine, state=default_state())
print("ready", flush=True)
input()
taken = Claims(default_state(), engine).claim(found, lambda project: (), Holder(folder, current()))
print(json.dumps([taken.instance.id, len(taken.notices)]), flush=True)
input()
"""


@pytest.fixture
def starting(repository: Path, tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Four clones, each with a process that is about to claim ``main``."""
    clones = [shutil.copytree(repository, tmp_path / f"clone {number}") for number in range(4)]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(clone), ENGINE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for clone in clones
    ]
    yield children
    for child in children:
        child.communicate("\n\n")


def test_at_the_same_moment(starting: list[subprocess.Popen[str]]) -> None:
    """Four clones that start in the same instant get four ids, one of them the plain one."""
    for child in starting:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    for child in starting:
        assert child.stdin
        child.stdin.write("\n")
        child.stdin.flush()
    found = [json.loads(child.stdout.readline()) for child in starting if child.stdout]
    ids = [each for each, _ in found]
    assert len(set(ids)) == 4
    assert ids.count("main") == 1
    assert [notices for each, notices in found if each != "main"] == [1, 1, 1]

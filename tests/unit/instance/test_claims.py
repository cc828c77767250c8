"""One id, one checkout: claims on an engine that is only a dictionary here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tasklib.checkout import find_checkout
from tasklib.errors import StackError
from tasklib.instance.claim import Holder, Mark, Resolved, lives
from tasklib.instance.claims import Claims
from tasklib.instance.identity import exports
from tasklib.instance.resolution import resolve
from tasklib.isolation import IdSource, is_plain_id
from tasklib.state.liveness import current, identify
from tasklib.state.store import State, default_state

Git = Callable[..., str]
ENGINE = "ABCD:EFGH"


class Engine:
    """Who owns resources of which Compose project, and whose mark it carries."""

    def __init__(self) -> None:
        self.owned: dict[str, set[str]] = {}
        self.marked: dict[str, Mark] = {}

    def up(self, found: Resolved) -> None:
        self.owned.setdefault(found.instance.project(), set()).add(found.instance.checkout)

    def down(self, found: Resolved) -> None:
        self.owned.pop(found.instance.project(), None)

    def owners(self, project: str) -> set[str]:
        return self.owned.get(project, set())

    def mark(self, wanted: Mark) -> Mark:
        return self.marked.setdefault(wanted.project, wanted)

    def unmark(self, mark: Mark) -> None:
        found = self.marked.get(mark.project)
        if found and found.is_of(mark.checkout, mark.host):
            del self.marked[mark.project]

    def marks(self, host: str) -> tuple[Mark, ...]:
        return tuple(mark for mark in self.marked.values() if mark.host == host)


class Everybodys(Engine):
    """One on which somebody else has everything."""

    def owners(self, project: str) -> set[str]:
        return {"other"}


class Silent(Engine):
    """One that does not answer."""

    def owners(self, project: str) -> set[str]:
        raise OSError("engine")


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
        found = claims.claim(asked(repository), engine, run())
        assert (found.instance.id, found.instance.project(), found.notices) == ("main", "test-main", ())
        (claim,) = claims.all()
        assert (claim.project, claim.root, claim.instance) == ("test-main", str(repository), found.instance)

    def test_second(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """Who comes second gets the id with a hash, and one line that says why."""
        claims.claim(asked(repository), engine, run())
        found = claims.claim(asked(clone), engine, run())
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
            # Of two repositories, as git gives no name twice in one.
            first = tmp_path / "first" / "repository"
            git(tmp_path, "clone", "-q", str(repository), str(tmp_path / "second"))
            git(tmp_path / "second", "worktree", "add", "-q", "--detach", str(first))
            git(repository, "worktree", "add", "-q", "--detach", str(other))
        elif kind == "repository":
            git(tmp_path, "init", "-q", "-b", "main", str(other))
        else:
            first = tmp_path / "a" / "repository"
            for folder in (first, other):
                folder.mkdir(parents=True)
        found = [claims.claim(asked(folder), engine, run()) for folder in (first, other)]
        assert found[0].identity.id == found[1].identity.id
        assert found[0].instance.id != found[1].instance.id

    def test_a_detached_head_keeps_what_it_has(
        self, repository: Path, git: Git, claims: Claims, engine: Engine
    ) -> None:
        """Whatever commit it goes to, and from whatever it came; once nothing is left, it is called anew."""
        branch = claims.claim(asked(repository), engine)
        engine.up(branch)
        git(repository, "switch", "-q", "--detach")
        for _ in range(2):
            git(repository, "commit", "-q", "--allow-empty", "-m", "next")
            assert asked(repository).instance == branch.instance
            assert claims.claim(asked(repository), engine).instance == branch.instance
        engine.down(branch)
        assert claims.release(branch.instance, engine)
        commit = claims.claim(asked(repository), engine)
        assert commit.identity.source is IdSource.COMMIT
        engine.up(commit)
        git(repository, "commit", "-q", "--allow-empty", "-m", "next")
        assert claims.claim(asked(repository), engine).instance == commit.instance
        git(repository, "switch", "-q", "main")
        assert claims.claim(asked(repository), engine).instance.id == "main"

    def test_a_renamed_branch_keeps_what_it_has(
        self, repository: Path, git: Git, claims: Claims, engine: Engine
    ) -> None:
        """Under its old id, however often it was renamed, until nothing is left; another branch does not."""
        git(repository, "switch", "-q", "-c", "first")
        first = claims.claim(asked(repository), engine)
        engine.up(first)
        git(repository, "switch", "-q", "-c", "other")
        assert asked(repository).instance.id == "other"
        git(repository, "switch", "-q", "first")
        for name in ("second", "third"):
            git(repository, "branch", "-m", name)
            found = claims.claim(asked(repository), engine)
            assert (found.instance, found.notices) == (first.instance, ())
        engine.down(first)
        assert claims.release(first.instance, engine)
        assert asked(repository).instance.id == "third"

    def test_branches_that_become_one_id(
        self, repository: Path, git: Git, clone: Path, claims: Claims, engine: Engine
    ) -> None:
        """``feature/a`` and ``feature-a`` are two."""
        git(repository, "switch", "-q", "-c", "feature/a")
        git(clone, "switch", "-q", "-c", "feature-a")
        ids = [claims.claim(asked(folder), engine, run()).instance.id for folder in (repository, clone)]
        assert ids[0] == "feature-a"
        assert ids[1] not in ids[:1]

    def test_two_branches_of_one_checkout(
        self, repository: Path, git: Git, claims: Claims, engine: Engine
    ) -> None:
        """A kept stack of ``feature/a`` is not that of ``feature-a`` after a switch."""
        git(repository, "switch", "-q", "-c", "feature/a")
        engine.up(claims.claim(asked(repository), engine))
        git(repository, "switch", "-q", "-c", "feature-a")
        assert claims.claim(asked(repository), engine).instance.id != "feature-a"

    def test_remembered(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """The id with a hash stays as long as it has resources, then the plain one is tried again."""
        first = claims.claim(asked(repository), engine, run())
        second = claims.claim(asked(clone), engine)
        engine.up(second)
        claims.release(first.instance, engine, "run")
        assert asked(clone).instance == second.instance
        assert claims.claim(asked(clone), engine).instance == second.instance
        engine.down(second)
        assert claims.claim(asked(clone), engine).instance.id == "main"
        assert len(claims.all()) == 1

    def test_held_until_the_last_resource(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine
    ) -> None:
        """A kept stack keeps its id after its run."""
        first = claims.claim(asked(repository), engine, run())
        engine.up(first)
        assert claims.release(first.instance, engine, "run") is False
        assert claims.claim(asked(clone), engine).instance.id != "main"
        engine.down(first)
        assert claims.release(first.instance, engine, "run") is True
        assert claims.release(first.instance, engine, "run") is True

    def test_held_by_two_runs(self, repository: Path, claims: Claims, engine: Engine) -> None:
        """Two runs of one checkout hold one claim; it ends with the second."""
        found = claims.claim(asked(repository), engine, run("a"))
        assert claims.claim(asked(repository), engine, run("b")).instance == found.instance
        assert claims.release(found.instance, engine, "a") is False
        assert claims.release(found.instance, engine, "b") is True
        assert claims.all() == ()

    def test_killed_run(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, gone: Holder
    ) -> None:
        """A killed run holds nothing once its resources are gone."""
        first = claims.claim(asked(repository), engine, gone)
        engine.up(first)
        second = claims.claim(asked(clone), engine, run())
        assert second.instance.id != "main"
        claims.release(second.instance, engine, "run")
        engine.down(first)
        assert claims.claim(asked(clone), engine, run()).instance.id == "main"

    def test_unknown_holder(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, gone: Holder
    ) -> None:
        """A run in another container may live: its claim is not taken over."""
        elsewhere = Holder("x", replace(gone.process, pid_namespace="another"))
        claims.claim(asked(repository), engine, elsewhere)
        assert claims.claim(asked(clone), engine).instance.id != "main"

    def test_deleted_checkout(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """The stack of a deleted checkout keeps the id until it is removed."""
        first = claims.claim(asked(repository), engine)
        engine.up(first)
        shutil.rmtree(repository)
        assert claims.claim(asked(clone), engine).instance.id != "main"
        engine.down(first)
        assert claims.claim(asked(clone), engine).instance.id == "main"

    @pytest.mark.parametrize("owner", ["", "0123456789abcdef"])
    def test_resources_without_a_record(
        self, repository: Path, claims: Claims, engine: Engine, owner: str
    ) -> None:
        """What another user, or someone by hand, has up under the name is not taken for ours."""
        engine.owned["test-main"] = {owner}
        found = claims.claim(asked(repository), engine)
        assert found.instance.id != "main"
        assert len(found.notices) == 1

    def test_own_resources_without_a_record(self, repository: Path, claims: Claims, engine: Engine) -> None:
        """Resources of this checkout whose record is lost are still its own."""
        engine.up(asked(repository))
        assert claims.claim(asked(repository), engine).instance.id == "main"

    def test_nothing_free(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """When even the id with a hash belongs to someone else, the run ends with a reason."""
        with pytest.raises(StackError, match="belong to another user or checkout") as caught:
            claims.claim(asked(repository), Everybodys())
        assert "TEST_INSTANCE_ID" in str(caught.value)
        assert claims.all() == ()

    def test_damaged_record(
        self, repository: Path, clone: Path, claims: Claims, state: State, engine: Engine
    ) -> None:
        """A claim that cannot be read any more is made up for by what is on the engine."""
        engine.up(claims.claim(asked(repository), engine))
        (record,) = (state.root / "claims").glob("*/*.json")
        record.write_text("{")
        assert claims.claim(asked(clone), engine).instance.id != "main"
        assert claims.claim(asked(repository), engine).instance.id == "main"

    def test_engine_that_fails(self, repository: Path, claims: Claims) -> None:
        """An engine that cannot say who owns what claims nothing and blocks nobody."""

        with pytest.raises(OSError, match="engine"):
            claims.claim(asked(repository), Silent())
        assert claims.claim(asked(repository), Engine()).instance.id == "main"

    def test_engines(self, repository: Path, clone: Path, state: State) -> None:
        """One id on two engines disturbs nobody."""
        ids = [
            Claims(state, name).claim(asked(folder), Engine(), run()).instance.id
            for name, folder in (("a", repository), ("b", clone))
        ]
        assert ids == ["main", "main"]


class TestTwoUsers:
    """Whoever has another state folder sees only what is on the engine."""

    @pytest.fixture
    def other(self, tmp_path: Path) -> State:
        return State(tmp_path / "other" / "tasklib")

    def theirs(self, folder: Path, other: State) -> Resolved:
        return resolve(find_checkout(folder), {}, engine=ENGINE, state=other)

    def test_before_there_is_anything(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, other: State
    ) -> None:
        """Who comes second while the first one still builds gets the id with a hash, and is told."""
        claims.claim(asked(repository), engine, run())
        second = Claims(other, ENGINE).claim(self.theirs(clone, other), engine, run())
        assert second.instance.id.startswith("main-")
        assert len(second.notices) == 1

    def test_one_checkout(self, repository: Path, claims: Claims, engine: Engine, other: State) -> None:
        """Two state folders for one checkout are two, both of which may have to give way."""
        engine.owned["test-main"] = {"somebody"}
        ids = {
            claims.claim(asked(repository), engine, run()).instance.id,
            Claims(other, ENGINE).claim(self.theirs(repository, other), engine, run()).instance.id,
        }
        assert len(ids) == 2

    def test_until_the_last_resource(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, other: State
    ) -> None:
        """The id is free for others once the first one's run has ended and nothing of it is left."""
        first = claims.claim(asked(repository), engine, run("a"))
        engine.up(first)
        claims.release(first.instance, engine, "a")
        theirs = Claims(other, ENGINE)
        assert theirs.claim(self.theirs(clone, other), engine).instance.id != "main"
        engine.down(first)
        claims.release(first.instance, engine)
        assert theirs.claim(self.theirs(clone, other), engine).instance.id == "main"

    def test_mark_that_was_pruned(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, other: State
    ) -> None:
        """Where somebody removed the mark, resources still say whose the id is, and a look renews it."""
        first = claims.claim(asked(repository), engine)
        engine.up(first)
        engine.marked.clear()
        theirs = Claims(other, ENGINE)
        assert theirs.claim(self.theirs(clone, other), engine).instance.id != "main"
        claims.claim(asked(repository), engine, run())
        assert engine.marked["test-main"].checkout == first.instance.checkout

    def test_mark_that_was_pruned_and_taken(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, other: State
    ) -> None:
        """What the engine says now counts, whatever is on record."""
        claims.claim(asked(repository), engine, run("a"))
        engine.marked.clear()
        Claims(other, ENGINE).claim(self.theirs(clone, other), engine, run())
        assert claims.claim(asked(repository), engine, run("b")).instance.id != "main"

    def test_sweep(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, gone: Holder, other: State
    ) -> None:
        """What killed runs marked goes; what others marked, and what is in use, stays."""
        killed = claims.claim(asked(repository), engine, gone)
        theirs = Claims(other, ENGINE).claim(self.theirs(clone, other), engine, gone)
        mine = claims.claim(asked(clone), engine, run())
        lost = Mark("test-lost", "lost", killed.instance.host)
        engine.mark(lost)
        claims.sweep(killed.instance.host, engine)
        assert set(engine.marked) == {theirs.instance.project(), mine.instance.project()}
        assert [claim.project for claim in claims.all()] == [mine.instance.project()]


class TestExported:
    def test_held_without_a_run(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """An id given out for plain Compose is taken before anything of it is on the engine, and after."""
        first = claims.claim(asked(repository), engine, exported=True)
        assert claims.release(first.instance, engine, "run") is False
        second = claims.claim(asked(clone), engine, exported=True)
        assert second.instance.id != "main"
        assert [str(repository) in notice for notice in second.notices] == [True]
        engine.up(first)
        engine.down(first)
        assert claims.claim(asked(clone), engine, run()).instance == second.instance
        assert claims.claim(asked(repository), engine).instance == first.instance

    def test_withdrawn(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """It is free once it is withdrawn and nothing of it is left."""
        first = claims.claim(asked(repository), engine, exported=True)
        engine.up(first)
        claims.withdraw(first.instance, engine)
        engine.down(first)
        assert asked(clone).instance.id != "main", "withdrawn while something of it was up"
        claims.withdraw(first.instance, engine)
        assert claims.all() == ()
        assert claims.claim(asked(clone), engine).instance.id == "main"

    def test_withdrawn_during_a_run(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine
    ) -> None:
        """A run holds on to what is withdrawn."""
        first = claims.claim(asked(repository), engine, run(), exported=True)
        claims.withdraw(first.instance, engine)
        assert claims.claim(asked(clone), engine).instance.id != "main"
        assert claims.release(first.instance, engine, "run") is True

    def test_stays_exported(self, repository: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """Neither a run nor the same id set by hand ends it."""
        git(repository, "switch", "-q", "-c", "feature/a")
        first = claims.claim(asked(repository), engine, exported=True)
        claims.claim(asked(repository), engine, run())
        claims.claim(asked(repository, TEST_INSTANCE_ID="feature-a"), engine, run())
        assert claims.release(first.instance, engine, "run") is False

    def test_deleted_checkout(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """A checkout that is gone holds nothing by variables."""
        claims.claim(asked(repository), engine, exported=True)
        shutil.rmtree(repository)
        assert claims.claim(asked(clone), engine).instance.id == "main"


class TestByHand:
    def test_shared(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """An id set by hand is shared by all that set it, and each of them can be found."""
        found = [
            claims.claim(asked(folder, TEST_INSTANCE_ID="main"), engine, run())
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
        claims.claim(asked(repository, TEST_INSTANCE_ID="main"), engine, run())
        assert claims.claim(asked(clone), engine, run()).instance.id != "main"

    def test_holders_stay(self, repository: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """Taking by hand what this checkout's branch has already does not end the first run's hold."""
        git(repository, "switch", "-q", "-c", "feature/a")
        first = claims.claim(asked(repository), engine, run("a"))
        claims.claim(asked(repository, TEST_INSTANCE_ID="feature-a"), engine, run("b"))
        assert claims.release(first.instance, engine, "b") is False


class TestResolve:
    def test_claims_nothing(self, repository: Path, claims: Claims) -> None:
        """Looking claims nothing."""
        found = asked(repository)
        assert (found.instance.id, found.identity.source) == ("main", IdSource.BRANCH)
        assert claims.all() == ()

    def test_expects_the_hash(self, repository: Path, clone: Path, claims: Claims, engine: Engine) -> None:
        """Before it comes up, a checkout is told the id that it will get."""
        claims.claim(asked(repository), engine, run())
        expected = asked(clone).instance.id
        assert expected != "main"
        assert claims.claim(asked(clone), engine).instance.id == expected

    def test_expects_the_plain_id_after_a_deleted_checkout(
        self, repository: Path, clone: Path, claims: Claims, engine: Engine, gone: Holder
    ) -> None:
        """A checkout that exists no longer, and whose runs are dead, is not reckoned with."""
        claims.claim(asked(repository), engine, gone)
        assert asked(clone).instance.id != "main"
        shutil.rmtree(repository)
        assert asked(clone).instance.id == "main"

    def test_without_engine(self, repository: Path, clone: Path, state: State, engine: Engine) -> None:
        """Without an engine the claims on all of them count."""
        Claims(state, "a").claim(asked(repository), engine, run())
        second = Claims(state, "a").claim(
            resolve(find_checkout(clone), {}, engine="a", state=state), engine, run()
        )
        assert resolve(find_checkout(clone), {}, state=state).instance == second.instance
        assert resolve(find_checkout(clone), {}, engine="b", state=state).instance.id == "main"

    def test_after_a_switch(self, repository: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """The stack of the branch before stays findable by its checkout, and is there on the way back."""
        before = claims.claim(asked(repository), engine)
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
        engine.up(claims.claim(asked(repository), engine))
        (claim,) = claims.all()
        assert lives(claim) is True
        repository.rename(tmp_path / "moved")
        assert lives(claim) is False
        asked(tmp_path / "moved")
        (claim,) = claims.all()
        assert lives(claim) is True
        assert lives(replace(claim, host="another")) is None
        assert claims.claim(asked(clone), engine).instance.id != "main"

    def test_replaced_checkout(self, repository: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """A new clone in the place of a deleted one is not the one that made the claim."""
        engine.up(claims.claim(asked(repository), engine))
        shutil.rmtree(repository)
        repository.mkdir()
        git(repository, "init", "-q", "-b", "main")
        (claim,) = claims.all()
        assert lives(claim) is False
        assert claims.claim(asked(repository), engine).instance.id != "main"

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
            claims.claim(resolve(checkout, {}, folder=folder, engine=ENGINE, state=state), engine, run())
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
        claims.claim(asked(repository), engine, run())
        second = claims.claim(asked(clone), engine, run())
        nested = asked(clone, **exports(second.instance, IdSource.BRANCH))
        assert (nested.instance, nested.notices) == (second.instance, ())

    @pytest.mark.parametrize("branch", ["$(reboot)", "a;b", "größe", "x" * 200, "-x/y"])
    def test_hostile_branch(
        self, repository: Path, clone: Path, git: Git, claims: Claims, engine: Engine, branch: str
    ) -> None:
        """Any branch can be claimed, twice."""
        for folder in (repository, clone):
            git(folder, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
        ids = {claims.claim(asked(folder), engine, run()).instance.id for folder in (repository, clone)}
        assert len(ids) == 2
        assert all(is_plain_id(found) for found in ids)

    def test_names_that_are_no_text(self, tmp_path: Path, git: Git, claims: Claims, engine: Engine) -> None:
        """A path and a branch whose bytes are not UTF-8 are claimed like others."""
        root = tmp_path / "gr\udcf6\udcdfe"
        root.mkdir()
        git(root, "init", "-q")
        (root / ".git" / "HEAD").write_bytes(b"ref: refs/heads/\xf6\n")
        found = claims.claim(asked(root), engine, run())
        (claim,) = claims.all()
        assert (claim.whole, claim.root) == ("\udcf6", str(root))
        assert lives(claim) is True
        assert is_plain_id(found.instance.id)


CHILD = """
import json, sys
from pathlib import Path
from tasklib.checkout import find_checkout
from tasklib.instance.claim import Holder
from tasklib.instance.claims import Claims
from tasklib.instance.resolution import resolve
from tasklib.state.liveness import current
from tasklib.state.store import default_state
folder, engine = sys.argv[1:]
found = resolve(find_checkout(Path(folder)), {}, engine=engine, state=default_state())
print("ready", flush=True)
input()
class Nobody:
    owners = staticmethod(lambda project: ())
    mark = staticmethod(lambda wanted: wanted)
    unmark = staticmethod(lambda mark: None)
taken = Claims(default_state(), engine).claim(found, Nobody(), Holder(folder, current()))
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

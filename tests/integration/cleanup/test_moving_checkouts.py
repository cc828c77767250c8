"""Checkouts that move while they have something up: by commit, by name, by folder. They keep it."""

from __future__ import annotations

from pathlib import Path

from ..conftest import NewProject
from ..projects import Checkout
from ..traces import Traces
from .support import FILES

UP = ("tasklib", "infra.up", "--name", "api")
DOWN = ("tasklib", "infra.down")


def test_a_detached_worktree_keeps_its_stack_over_commits(
    project: NewProject, traces: Traces, token: str, tmp_path: Path
) -> None:
    """As agents make them: it has its worktree's name, and what is up is found from every commit."""
    shop = project(FILES)
    folder = tmp_path / f"agent-{token}"
    shop.git("worktree", "add", "-q", "--detach", str(folder))
    agent = Checkout(folder, "", shop.env)
    assert agent.run(*UP).code == 0
    assert traces.projects() == {f"test-agent-{token}_api"}
    before = [row["Id"] for row in traces.containers()]
    agent.git("commit", "-q", "--allow-empty", "-m", "next")
    assert agent.run(*UP).code == 0
    assert [row["Id"] for row in traces.containers()] == before
    agent.git("commit", "-q", "--allow-empty", "-m", "next")
    assert f"test-agent-{token}_api" in agent.run("tasklib", "infra.status").out
    assert (agent.run(*DOWN).code, traces.containers()) == (0, [])


def test_a_renamed_branch_keeps_its_stack(shop: Checkout, traces: Traces, token: str) -> None:
    """`infra.status` and `infra.down` find the same."""
    assert shop.run(*UP).code == 0
    shop.git("branch", "-m", f"renamed-{token}")
    assert f"test-feature-{token}_api" in shop.run("tasklib", "infra.status").out
    ran = shop.run(*DOWN)
    assert (ran.code, traces.containers(), "nothing is up" in ran.out) == (0, [], False), ran
    assert shop.run("tasklib", "infra.id").out == f"renamed-{token}\n"


def test_the_branch_that_is_rebased_names_the_instance(shop: Checkout, traces: Traces, token: str) -> None:
    """Every commit that `git rebase --exec` tests is tested as that branch."""
    for number in range(2):
        shop.git("commit", "-q", "--allow-empty", "-m", str(number))
    ids = shop.root.with_name("ids")
    shop.git("rebase", "-q", "--exec", f"tasklib infra.id >> {ids}", "HEAD~2")
    assert ids.read_text().splitlines() == [f"feature-{token}"] * 2


def test_a_worktree_that_was_moved_keeps_its_stack(shop: Checkout, traces: Traces, token: str) -> None:
    """`clean.stale --yes` spares it, typed in it or elsewhere; once it is removed, it is stale."""
    other = shop.worktree(f"other-{token}")
    assert other.run(*UP).code == 0
    moved = other.root.with_name("moved")
    shop.git("worktree", "move", str(other.root), str(moved))
    for checkout in (shop, Checkout(moved, other.branch, other.env)):
        ran = checkout.run("tasklib", "clean.stale", "--yes")
        assert (ran.code, ran.out, traces.states()) == (0, "nothing is stale\n", {"running"}), ran
    shop.git("worktree", "remove", "--force", str(moved))
    ran = shop.run("tasklib", "clean.stale", "--yes")
    assert (ran.code, traces.containers()) == (0, []), ran


def test_a_clone_that_was_moved_does_not_remove_its_own(shop: Checkout, traces: Traces) -> None:
    """Nobody else can know where it is, but it does."""
    assert shop.run(*UP).code == 0
    moved = Checkout(shop.root.rename(shop.root.with_name("moved")), shop.branch, shop.env)
    ran = moved.run("tasklib", "clean.stale", "--yes")
    assert (ran.out, traces.states()) == ("nothing is stale\n", {"running"}), ran
    assert moved.run(*DOWN).code == 0

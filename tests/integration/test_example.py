"""example-project as its users run it: the main job, and four branches of it side by side."""

from __future__ import annotations

from collections import Counter

from .projects import Checkout
from .traces import Observer, Traces


def test_the_main_job(example: Checkout, traces: Traces) -> None:
    """The three sessions pass, each stack under its own project; only tagged images are left of it."""
    name = f"test-feature-{traces.token}"
    with Observer(traces.token) as observer:
        ran = example.run("nox", "-s", "unit", "service", "integration")
    assert ran.code == 0, ran
    assert observer.projects == {name, f"{name}_api", f"{name}_worker", f"{name}_frontend"}
    assert {seen.service for seen in observer.containers.values() if seen.project == name} == {
        "api",
        "database",
        "frontend",
        "redis",
        "worker",
    }
    assert traces.left() == []
    assert not observer.volumes & traces.every_volume(), "anonymous volumes are ours to remove, too"
    assert traces.images() != []
    assert len(ran.lines) <= 12, ran
    assert example.is_clean

    once_more = example.run("invoke", "test.service", "--name", "api")
    assert once_more.code == 0, once_more
    assert len(once_more.lines) == 2, once_more
    assert traces.left() == []

    cleaned = example.run("tasklib", "clean")
    assert cleaned.code == 0, cleaned
    assert traces.images() == []


def test_four_branches_side_by_side(example: Checkout, traces: Traces) -> None:
    """Four worktrees run the whole pipeline at the same time; each passes in a dozen lines, no two share."""
    checkouts = [example, *(example.worktree(f"fix/{number}-{traces.token}") for number in range(3))]
    with Observer(traces.token) as observer:
        running = [checkout.start("invoke", "test") for checkout in checkouts]
        every = [command.wait() for command in running]
    for ran in every:
        assert ran.code == 0, ran
        assert len(ran.lines) <= 12, ran
        assert all(f"service {name}: " in ran.text for name in ("api", "frontend", "worker")), ran

    stacks = {"", "_api", "_worker", "_frontend"}
    ids = [f"feature-{traces.token}", *(f"fix-{number}-{traces.token}" for number in range(3))]
    assert observer.projects == {f"test-{name}{stack}" for name in ids for stack in stacks}

    assert observer.shared() == {}
    assert observer.clashes == []
    assert len(observer.networks) == len(ids) * len(stacks)
    assert Counter(seen.service for seen in observer.containers.values())["database"] == 4 * 3
    assert traces.left() == []

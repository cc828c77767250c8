"""What checkouts left that are gone from the disk, on the engine in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tasklib.checkout import find_checkout
from tasklib.instance.claim import owner
from tasklib.instance.identity import checkout_id
from tasklib.instance.whereabouts import note, note_move
from tasklib.stacks.cleaning.stale import find_stale, remove_stale
from tasklib.stacks.engine.values import FOLDER_LABEL, Container
from tasklib.stacks.labels import CHECKOUT, HOST
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import default_state
from tests.memory_engine import MemoryEngine

Git = Callable[..., str]


def left(engine: MemoryEngine, project: str, folder: Path, *, by: str = "") -> Container:
    """A container that a checkout of which nothing is written down has made from a file in ``folder``."""
    labels = {HOST: by or owner(default_state()), CHECKOUT: f"of {project}", FOLDER_LABEL: str(folder)}
    return engine.add_container(project, "api", labels=labels)


def test_what_a_checkout_left_that_is_gone_is_found_and_removed(tmp_path: Path) -> None:
    """What is there, or another machine's or nobody's, stays."""
    engine, state = MemoryEngine(), default_state()
    left(engine, "test-gone", tmp_path / "gone")
    others = [
        left(engine, "test-here", tmp_path),
        left(engine, "test-elsewhere", tmp_path / "gone", by="another machine"),
        engine.add_container("by-hand", "api", labels={FOLDER_LABEL: str(tmp_path / "gone")}),
    ]
    (stale,) = find_stale(engine, state)
    assert (stale.project, stale.why) == ("test-gone", f"{tmp_path / 'gone'} is gone")
    assert [resource.kind for resource in remove_stale(engine, state, [stale])] == ["container"]
    assert find_stale(engine, state) == ()
    assert [found for other in others for found in engine.containers(other.project)] == others


def test_a_worktree_that_was_moved_is_not_gone(repository: Path, git: Git, tmp_path: Path) -> None:
    """Git knows where it is, whoever asks; a checkout that nobody can find tells so itself."""
    engine, state = MemoryEngine(), default_state()
    git(repository, "worktree", "add", "-q", "-b", "b", str(tmp_path / "b"))
    shutil.copytree(repository, tmp_path / "clone")
    for folder in (tmp_path / "b", tmp_path / "clone"):
        (folder / "shop").mkdir()
        checkout = find_checkout(folder)
        mine = checkout_id(checkout, folder / "shop")
        note(state, checkout, mine, folder / "shop")
        labels = {HOST: owner(state), CHECKOUT: mine}
        engine.add_container(f"test-{folder.name}", "api", labels=labels)
    git(repository, "worktree", "move", str(tmp_path / "b"), str(tmp_path / "moved"))
    (tmp_path / "clone").rename(tmp_path / "renamed")
    assert [stale.project for stale in find_stale(engine, state)] == ["test-clone"]
    note_move(state, engine.facts.id, tmp_path / "renamed" / "shop")
    assert find_stale(engine, state) == ()
    shutil.rmtree(tmp_path / "moved")
    (stale,) = find_stale(engine, state)
    assert (stale.project, stale.why) == ("test-b", f"{tmp_path / 'b' / 'shop'} is gone")


def test_what_is_in_use_all_the_same_stays(tmp_path: Path) -> None:
    """Somebody holds the stack's lock; or one of its containers stands in a folder that is there."""
    engine, state = MemoryEngine(), default_state()
    left(engine, "test-half", tmp_path / "gone")
    engine.add_container(
        "test-half",
        "db",
        labels={HOST: owner(state), CHECKOUT: "of test-half", FOLDER_LABEL: str(tmp_path)},
    )
    held = left(engine, "test-held", tmp_path / "gone")
    (stale,) = find_stale(engine, state)
    lock = StackLock(state, engine.facts.id, "test-held")
    assert lock.try_acquire()
    try:
        assert remove_stale(engine, state, [stale]) == ()
    finally:
        lock.release()
    assert engine.containers("test-held") == (held,)

"""Bakes that several checkouts start from, when these are cleaned."""

from __future__ import annotations

from msgspec.structs import replace

from tasklib.stacks.cleaning.bakes import leave_bakes, own_bakes
from tasklib.stacks.holding.bakery import baking_lock
from tasklib.state.bakes import BakeRecord, Bakes
from tests.unit.stacks.holding.conftest import NewRun


def test_of_two_that_clean_at_once_one_removes_what_both_had(new_run: NewRun) -> None:
    """Each leaves its bakes before it looks which ones are nobody else's."""
    mine = new_run("mine")
    other = new_run("other")
    other = replace(other, instance=replace(other.instance, checkout="another"))
    known = Bakes(mine.state, mine.engine.facts.id)
    known.add(BakeRecord("bake:1", "key", "sha256:1"))
    for run in (mine, other):
        known.use("bake:1", run.instance.checkout)
    assert own_bakes(mine) == own_bakes(other) == ()
    leave_bakes(mine)
    leave_bakes(other)
    assert own_bakes(other) == ("bake:1",)
    known.leave("bake:1", ["another"])
    lock = baking_lock(mine, "key")
    assert lock.try_acquire()
    assert own_bakes(other) == (), "whoever holds it is about to start from it"
    lock.release()
    assert own_bakes(mine) == ("bake:1",)

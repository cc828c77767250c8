"""Leases: what a run has on an engine where nobody else can judge whether it lives."""

from __future__ import annotations

import pytest

from tasklib.instance.claim import Mark
from tasklib.stacks.arbiter import EngineArbiter
from tasklib.stacks.engine.values import PROJECT_LABEL, Resource
from tasklib.stacks.labels import CHECKOUT, HOST
from tasklib.stacks.leases import SECONDS, Lease, leased, sweep_leases
from tests.memory_engine import MemoryEngine

PROJECT = "test-main_api"


@pytest.fixture
def engine() -> MemoryEngine:
    """With a container of a stack of each of two checkouts."""
    made = MemoryEngine()
    for checkout in ("mine", "other"):
        made.add_container(PROJECT, "api", labels={CHECKOUT: checkout, HOST: "host"})
    return made


def lease_of(engine: MemoryEngine, run: str, *stacks: str, checkout: str = "mine") -> Lease:
    return Lease(engine, run, checkout, "host", lambda: stacks)


def volumes(engine: MemoryEngine) -> list[Resource]:
    return list(engine.owned({"io.tasklib.lease": ""}, kinds=["volume"]))


def age(engine: MemoryEngine, run: str) -> None:
    """The run has not renewed its lease."""
    for volume in volumes(engine):
        if volume.labels["io.tasklib.lease"] == run:
            engine.ages[volume.id] = SECONDS + 1


def checkouts(engine: MemoryEngine) -> list[str]:
    return [resource.labels[CHECKOUT] for resource in engine.owned({PROJECT_LABEL: PROJECT})]


def test_a_lease_is_one_volume_that_goes_with_the_run(engine: MemoryEngine) -> None:
    """However often it is renewed; what stands on it is what the run has by then."""
    stacks = [PROJECT]
    lease = Lease(engine, "run", "mine", "host", lambda: stacks)
    for _ in range(3):
        lease.renew()
    (volume,) = volumes(engine)
    assert volume.labels["io.tasklib.lease.stacks"] == PROJECT
    assert leased(engine) == {"mine"}
    stacks.clear()
    lease.close()
    assert volumes(engine) == []
    lease.renew()
    assert volumes(engine) == [], "what is over stays so"


def test_what_a_lease_names_goes_once_it_has_run_out(engine: MemoryEngine) -> None:
    """That checkout's alone, its claim and the lease with it; another's stack of that name stays."""
    arbiter = EngineArbiter(engine)
    arbiter.mark(Mark("test-main", "mine", "host"))
    engine.remove(engine.owned({CHECKOUT: "other"}))
    engine.add_container("test-other", "api", labels={CHECKOUT: "other", HOST: "host"})
    lease_of(engine, "run", PROJECT).claim("test-main")
    assert sweep_leases(engine) == (), "it lives"
    age(engine, "run")
    assert leased(engine) == frozenset()
    assert sweep_leases(engine) == (PROJECT,)
    assert volumes(engine) == []
    assert arbiter.marks("host") == ()
    assert len(engine.owned({CHECKOUT: "other"})) == 1


def test_another_user_s_stack_of_the_same_checkout_stays(engine: MemoryEngine) -> None:
    """Both work in one folder on one branch, each with stacks of their own."""
    engine.add_container(PROJECT, "api", labels={CHECKOUT: "mine", HOST: "another"})
    lease_of(engine, "run", PROJECT)
    age(engine, "run")
    sweep_leases(engine)
    assert [found.labels[HOST] for found in engine.owned({CHECKOUT: "mine"})] == ["another"]


def test_what_another_run_of_the_checkout_has_by_now_stays(engine: MemoryEngine) -> None:
    """The lease that ran out goes alone, and so does one that names nothing: kept stacks are not on it."""
    lease_of(engine, "dead", PROJECT)
    lease_of(engine, "kept")
    age(engine, "dead")
    age(engine, "kept")
    lease_of(engine, "alive", PROJECT)
    assert sweep_leases(engine) == ()
    assert checkouts(engine) == ["mine", "other"]
    assert [volume.labels["io.tasklib.lease"] for volume in volumes(engine)] == ["alive"]


def test_what_cannot_be_removed_is_tried_again(engine: MemoryEngine) -> None:
    """The lease stays for whoever comes next."""
    lease_of(engine, "run", PROJECT)
    age(engine, "run")
    engine.stuck = {resource.id for resource in engine.owned({CHECKOUT: "mine"})}
    assert sweep_leases(engine) == ()
    assert len(volumes(engine)) == 1
    engine.stuck = set()
    assert sweep_leases(engine) == (PROJECT,)


def test_marks_of_checkouts_with_a_lease_are_nobodys_to_sweep(engine: MemoryEngine) -> None:
    """Two containers may seem one machine and one user, with nothing of each other's records."""
    EngineArbiter(engine).mark(Mark("test-main", "mine", "host"))
    lease_of(engine, "run")
    assert EngineArbiter(engine, spared=leased(engine)).marks("host") == ()
    age(engine, "run")
    assert len(EngineArbiter(engine, spared=leased(engine)).marks("host")) == 1


def test_an_engine_that_is_silent_is_asked_again_later(engine: MemoryEngine) -> None:
    """A lease that cannot be renewed now ends no run."""
    lease = lease_of(engine, "run", PROJECT)
    engine.answering = False
    lease.renew()
    lease.close()

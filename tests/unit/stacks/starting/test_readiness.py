"""Is a stack ready, on its way, or lost? Decided from what the engine says of its containers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasklib.stacks.engine.values import Container, Port
from tasklib.stacks.starting.readiness import Failed, Ready, Verdict, Waiting, judge

API = Container("1", "p.api", "p", "api", "running")
SERVED = replace(API, ports=(Port(8000, "tcp", "127.0.0.1", 32768),))
DATABASE = Container("2", "p.database", "p", "database", "running", health="healthy")


def verdict(*containers: Container, closed: int | None = None, services: tuple[str, ...] = ()) -> Verdict:
    lacks = {} if closed is None else {API.id: f"port {closed} does not accept"}
    return judge(services or {c.service for c in containers}, containers, lacks)


def test_healthy_and_listening_is_ready() -> None:
    """Whatever has no health check and no port only has to run."""
    assert verdict(API, DATABASE) == Ready()
    assert verdict(SERVED, DATABASE) == Ready()


@pytest.mark.parametrize(
    ("container", "why"),
    [
        (replace(API, state="created"), "created"),
        (replace(API, health="starting"), "health check"),
        (replace(API, state="restarting", exit_code=3), "restarts after exit code 3"),
        (replace(API, state="exited", exit_code=3, max_restarts=None), "restarts after exit code 3"),
        (replace(API, state="exited", exit_code=3, restarts=2, max_restarts=3), "restarts after exit code 3"),
    ],
)
def test_what_may_still_come_is_waited_for(container: Container, why: str) -> None:
    """A container that starts, is checked, or restarts, with its reason."""
    assert verdict(container, DATABASE) == Waiting({"api": why})


def test_what_a_running_container_lacks_is_waited_for() -> None:
    """Whatever its health check says."""
    lacking = Waiting({"api": "port 8000 does not accept"})
    assert verdict(SERVED, closed=8000) == lacking
    assert verdict(replace(SERVED, health="healthy"), closed=8000) == lacking


def test_a_service_without_a_container_is_waited_for() -> None:
    """Compose has not come that far."""
    assert verdict(DATABASE, services=("api", "database")) == Waiting({"api": "not created"})


@pytest.mark.parametrize(
    ("container", "why"),
    [
        (replace(API, state="exited", exit_code=3), "exited with code 3"),
        (
            replace(API, state="exited", exit_code=3, restarts=3, max_restarts=3),
            "exited with code 3 after 3 restarts",
        ),
        (replace(API, state="dead", exit_code=137), "exited with code 137"),
        (replace(API, health="unhealthy"), "is unhealthy"),
        (replace(SERVED, state="exited"), "exited with code 0 although it publishes a port"),
        (
            replace(API, state="created", exit_code=127, error='…: exec: "x": not found: unknown'),
            'cannot start: …: exec: "x": not found',
        ),
        (
            replace(
                API, state="exited", error="runc: unable to start container process: no such user: unknown"
            ),
            "cannot start: no such user",
        ),
    ],
)
def test_what_cannot_come_any_more_is_lost(container: Container, why: str) -> None:
    """At once, with the container at fault, whatever else is still under way."""
    found = verdict(replace(DATABASE, health="starting"), container)
    assert found == Failed(container, why)


def test_a_job_that_is_done_is_no_loss() -> None:
    """It exited with 0 and publishes nothing."""
    assert verdict(replace(API, state="exited"), DATABASE) == Ready()


CONTAINERS = st.builds(
    Container,
    id=st.just("1"),
    name=st.just("p.api"),
    project=st.just("p"),
    service=st.sampled_from(["api", "database"]),
    state=st.sampled_from(["created", "running", "restarting", "exited", "dead", "paused", "removing"]),
    exit_code=st.integers(0, 255),
    health=st.sampled_from([None, "starting", "healthy", "unhealthy"]),
    restarts=st.integers(0, 5),
    max_restarts=st.none() | st.integers(0, 5),
)


@given(st.lists(CONTAINERS, max_size=4), st.none() | st.integers(1, 9))
def test_ready_means_that_nothing_is_amiss(containers: list[Container], closed: int | None) -> None:
    """No container of a ready stack is unhealthy, being checked, crashed or on its way."""
    if judge(("api", "database"), containers, {"1": "a port"} if closed else {}) == Ready():
        assert {container.service for container in containers} == {"api", "database"}
        for container in containers:
            assert container.state in ("running", "exited", "dead")
            assert container.state != "running" or container.health in (None, "healthy")
            assert container.state == "running" or container.exit_code == 0


def test_a_container_without_memory_says_so() -> None:
    """Its exit code alone would send people looking for who killed it."""
    lost = verdict(replace(API, state="exited", exit_code=137, starved=True))
    assert isinstance(lost, Failed)
    assert lost.why == "was ended by the kernel: no memory was left, by its own limit or on the machine"

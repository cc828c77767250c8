"""Which containers may start now: the conditions of depends_on."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.stacks.engine.values import Container
from tasklib.stacks.starting.order import startable, unmet

API = Container("api", "p.api", "p", "api", "created")
DATABASE = Container("database", "p.database", "p", "database", "created")
RUNNING = replace(DATABASE, state="running")


def config(**depends_on: Any) -> dict[str, Any]:
    return {"services": {"api": {"depends_on": depends_on}, "database": {}}}


def starts(condition: str, database: Container) -> bool:
    found = startable(config(database={"condition": condition}), (API, database), {"api"})
    return found == (API,)


def test_what_depends_on_nothing_starts_first() -> None:
    """And only what is still to be started."""
    stack = config(database={"condition": "service_started"})
    assert startable(stack, (API, DATABASE), {"api", "database"}) == (DATABASE,)
    assert startable(stack, (API, RUNNING), {"api"}) == (API,)
    assert startable(stack, (API, RUNNING), set()) == ()


@pytest.mark.parametrize(
    ("condition", "database", "may"),
    [
        ("service_started", DATABASE, False),
        ("service_started", RUNNING, True),
        ("service_started", replace(DATABASE, state="exited", exit_code=1), True),
        ("service_healthy", RUNNING, True),
        ("service_healthy", replace(RUNNING, health="starting"), False),
        ("service_healthy", replace(RUNNING, health="healthy"), True),
        ("service_healthy", replace(RUNNING, health="unhealthy"), False),
        ("service_completed_successfully", RUNNING, False),
        ("service_completed_successfully", replace(DATABASE, state="exited"), True),
        ("service_completed_successfully", replace(DATABASE, state="exited", exit_code=1), False),
    ],
)
def test_each_condition_holds_when_compose_says_so(condition: str, database: Container, may: bool) -> None:
    """Started, healthy (or running without a check), ended with 0."""
    assert starts(condition, database) is may


def test_a_dependency_with_several_containers_needs_them_all() -> None:
    """One healthy replica of two is not enough."""
    stack = config(database={"condition": "service_healthy"})
    healthy, starting = replace(RUNNING, health="healthy"), replace(RUNNING, id="2", health="starting")
    assert list(unmet(stack, "api", (API, healthy, starting), {"api"})) == ["database"]
    assert list(unmet(stack, "api", (API, healthy, replace(starting, health="healthy")), {"api"})) == []


def test_dependencies_that_are_not_in_the_stack_hold_nobody_up() -> None:
    """An optional one whose profile is inactive is not there; the short form is a list."""
    assert (
        list(unmet(config(cache={"condition": "service_started", "required": False}), "api", (), {"api"}))
        == []
    )
    short = {"services": {"api": {"depends_on": ["database"]}, "database": {}}}
    assert list(unmet(short, "api", (API, DATABASE), {"api", "database"})) == ["database"]


@pytest.mark.parametrize("key", ["network_mode", "ipc", "pid"])
def test_a_namespace_is_joined_after_its_owner_has_started(key: str) -> None:
    """Without any `depends_on`: the engine joins no container that does not run."""
    stack = {"services": {"api": {key: "service:database"}, "database": {}}}
    assert list(unmet(stack, "api", (API, DATABASE), {"api", "database"})) == ["database"]
    assert list(unmet(stack, "api", (API, RUNNING), {"api"})) == []


def test_a_service_without_containers_is_not_waited_for() -> None:
    """`scale: 0` is started by somebody else or by nobody."""
    stack = config(database={"condition": "service_healthy"})
    stack["services"]["database"] = {"scale": 0}
    assert list(unmet(stack, "api", (API,), {"api"})) == []

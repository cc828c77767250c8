"""Containers that are in our project, or look like ours, and are somebody else's: they run on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..conftest import NewProject
from ..projects import Checkout, compose
from ..traces import Traces
from .support import FILES, SERVED, ByHand, exists
from .test_clean import PLAIN

STACK = "services/api/deploy/test/docker-compose.yml"
TWO = {**FILES, STACK: compose(api=SERVED, web=SERVED)}
UP, DOWN = ("tasklib", "infra.up", "--name", "api"), ("tasklib", "infra.down")


@pytest.fixture
def both(project: NewProject) -> Iterator[Checkout]:
    """A project whose stack has an api and a web."""
    made = project(TWO)
    yield made
    made.run("tasklib", "clean", "--force")


def started_as(project: str, service: str) -> dict[str, str]:
    return {"com.docker.compose.project": project, "com.docker.compose.service": service}


def services(traces: Traces) -> list[str]:
    return sorted(row["Labels"].get("com.docker.compose.service", "") for row in traces.containers())


def test_what_is_left_of_a_changed_stack_goes_and_nobody_elses(
    both: Checkout, traces: Traces, token: str, engine: Any, by_hand: ByHand
) -> None:
    """A service that the file has no more is removed; a container started by hand in the project stays."""
    assert both.run(*UP).code == 0
    mine = by_hand(PLAIN, f"mine-{token}", started_as(f"test-feature-{token}_api", "helper"))
    both.write({STACK: compose(api=SERVED)})
    # A setting of Compose's own that would take it away.
    ran = both.run(*UP, env={"COMPOSE_REMOVE_ORPHANS": "true"})
    assert (ran.code, services(traces)) == (0, ["api", "helper"]), ran
    assert both.run(*DOWN).code == 0
    assert (exists(engine, mine), services(traces)) == (True, ["helper"])


def test_nobodys_container_is_replaced(
    both: Checkout, traces: Traces, token: str, engine: Any, by_hand: ByHand
) -> None:
    """One that stands for a service of ours in a kept stack is named, in two lines, and runs on."""
    assert both.run(*UP).code == 0
    theirs = by_hand(PLAIN, f"mine-{token}", started_as(f"test-feature-{token}_api", "api"))
    ran = both.run(*UP)
    assert (ran.code, len(ran.err.splitlines()), exists(engine, theirs)) == (4, 2, True), ran
    assert f"error: the container mine-{token} is in test-feature-{token}_api and not ours" in ran.err
    assert both.run(*DOWN).code == 0
    assert exists(engine, theirs)


def test_an_id_set_by_hand_does_not_take_another_projects_stack(
    project: NewProject, traces: Traces, token: str
) -> None:
    """Two projects under one id, on purpose: each ends its own, and neither replaces the other's."""
    env = {"TEST_INSTANCE_ID": f"x-{token}"}
    first, second = project(FILES, name="first"), project(TWO, name="second")
    assert first.run(*UP, env=env).code == 0
    second.write({STACK: compose(web=SERVED)})
    assert second.run(*UP, env=env).code == 0
    assert services(traces) == ["api", "web"]
    assert second.run(*DOWN, env=env).code == 0
    assert services(traces) == ["api"]

    second.write({STACK: compose(api=SERVED)})
    ran = second.run(*UP, env=env)
    assert (ran.code, services(traces)) == (4, ["api"]), ran
    assert "belongs to another checkout" in ran.err
    for checkout in (first, second):
        assert checkout.run("tasklib", "clean", env=env).code == 0


def test_what_was_made_of_a_container_of_ours_stays(
    both: Checkout, traces: Traces, token: str, engine: Any, by_hand: ByHand
) -> None:
    """A commit, and an image built on it, have our labels: they keep us from nothing and lose nothing."""
    assert both.run(*UP).code == 0
    (api,) = (row["Id"] for row in traces.containers() if "api.api" in row["Names"][0])
    engine.commit(api, f"copy-{token}", "latest")
    both.write({"Dockerfile": f"FROM copy-{token}:latest\nRUN true\n"})
    assert both.run("docker", "build", "--quiet", "--tag", f"built-{token}", ".").code == 0
    theirs = [by_hand(f"{name}-{token}", f"{name}-{token}-1") for name in ("copy", "built")]
    engine.rename(api, f"renamed-{token}")

    shown = both.run("tasklib", "infra.status")
    assert f"copy-{token}" not in shown.out, shown
    assert both.run("tasklib", "clean").code == 0
    assert [exists(engine, container) for container in theirs] == [True, True]
    assert len(traces.containers()) == 2

    # To Compose they are in the project, so another id is taken while they are there.
    again = both.run(*UP)
    assert (again.code, f"test-feature-{token} is in use" in again.err) == (0, True), again
    assert both.run("tasklib", "clean", "--all").code == 0
    assert [exists(engine, container) for container in theirs] == [True, True]

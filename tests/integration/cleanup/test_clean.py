"""`clean` removes all that this instance owns, says how much that was, and touches nothing else."""

from __future__ import annotations

import os
from typing import Any

from ..conftest import NewProject
from ..projects import Checkout, compose
from ..traces import Traces
from .support import FILES, ByHand, Run, exists

PLAIN = os.environ.get("PYTHON_IMAGE", "python:3.12-slim")
"""An image that is here and is not ours."""

BUILT = (
    compose(
        api="""
        build: {context: ../.., args: {PYTHON_IMAGE: "${PYTHON_IMAGE:-python:3.12-slim}"}}
        command: python -u -m http.server 8000
        ports: ["8000"]
        volumes: ["data:/data"]
    """
    )
    + "volumes:\n  data:\n"
)


def dockerfile(token: str, version: int = 1) -> str:
    """An image with five million bytes of its own, which no other build has."""
    return (
        "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\n"
        f"LABEL tests.token={token}\n"
        f"RUN head -c 5000000 /dev/urandom > /{token}-{version}\n"
    )


def test_all_of_it_goes_and_a_second_time_there_is_nothing(
    project: NewProject, traces: Traces, token: str
) -> None:
    """Containers, networks, volumes and every tag that was built; sizes are those of the engine."""
    shop = project({**FILES, "services/api/deploy/test/docker-compose.yml": BUILT})
    shop.write({"services/api/Dockerfile": dockerfile(token)})
    assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
    assert len(traces.images()) == 2
    dry = shop.run("tasklib", "--dry", "clean")
    assert dry.out.startswith("would remove 1 container, 1 network, 1 volume, 2 image tags")
    assert traces.states() == {"running"}

    ran = shop.run("tasklib", "clean")
    assert ran.code == 0, ran
    assert ran.out == f"feature-{token}: removed 1 container, 1 network, 1 volume, 2 image tags (5.0 MB)\n"
    assert not traces.left()
    assert not traces.images()
    assert not traces.layers()
    assert shop.run("tasklib", "clean").out == f"feature-{token}: nothing to clean\n"


def test_what_a_new_build_left_without_a_name_goes_too(
    project: NewProject, traces: Traces, token: str
) -> None:
    """Building anew removes the image before; where that was in use, `clean` finds it by its id."""
    shop = project({**FILES, "services/api/deploy/test/docker-compose.yml": BUILT})
    for version in (1, 2):
        shop.write({"services/api/Dockerfile": dockerfile(token, version)})
        assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
    assert shop.run("tasklib", "clean").code == 0
    assert not traces.dangling()
    assert not traces.left()


def test_nothing_else_is_touched(
    project: NewProject, traces: Traces, token: str, engine: Any, by_hand: ByHand
) -> None:
    """Neither what has a similar name, nor what runs from the same image, nor another instance."""
    shop = project({**FILES, "services/api/deploy/test/docker-compose.yml": BUILT})
    shop.write({"services/api/Dockerfile": dockerfile(token)})
    shop.commit()
    other = shop.worktree(f"feature/{token}-2")
    for checkout in (shop, other):
        assert checkout.run("tasklib", "infra.up", "--name", "api").code == 0
    mine = f"test-feature-{token}_api"
    image = f"{mine}-api:latest"
    theirs = {row["Id"] for row in traces.containers() if mine not in row["Names"][0]}
    similar = by_hand(PLAIN, f"{mine}.api-2")
    same_image = by_hand(image, f"by-hand-{token}")
    same_project = by_hand(PLAIN, f"mine-{token}", {"com.docker.compose.project": mine})
    engine.tag(image, f"mine-{token}", "latest")

    ran = shop.run("tasklib", "clean")
    assert ran.code == 0, ran
    kept = {similar, same_image, same_project}
    assert {row["Id"] for row in traces.containers()} == theirs | kept
    assert all(exists(engine, container) for container in kept)
    assert f"mine-{token}:latest" in traces.images()
    assert other.run("tasklib", "clean").code == 0


def test_branches_that_were_here_before(project: NewProject, traces: Traces, token: str) -> None:
    """After a switch the old branch's stack is shown, left alone by `clean`, offered, and goes with --all."""
    shop = project(FILES)
    assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
    shop.git("switch", "-q", "-c", f"later-{token}")
    status = shop.run("tasklib", "infra.status").out
    assert f"test-feature-{token}_api (of feature-{token})" in status
    ran = shop.run("tasklib", "clean")
    assert f"later-{token}: nothing to clean\n" in ran.out
    assert f"also of this checkout: feature-{token} (`tasklib clean --all` removes them)" in ran.out
    assert traces.states() == {"running"}
    assert "removed 1 container" in shop.run("tasklib", "clean", "--all").out
    assert not traces.left()


def test_images_of_branches_that_were_here_before_are_told(
    project: NewProject, traces: Traces, token: str
) -> None:
    """They carry no labels, so they are counted; they stay until they are asked for."""
    shop = project(
        {
            "Dockerfile": f"ARG PYTHON_IMAGE=python:3.12-slim\nFROM ${{PYTHON_IMAGE}}\nENV OF={token}\n",
            "compose.yml": compose(
                api="""
                build:
                  context: .
                  args: {PYTHON_IMAGE: "${PYTHON_IMAGE:-python:3.12-slim}"}
                command: sleep infinity
                init: true
                """
            ),
            "tests/integration/test_a.py": "def test_a(): pass\n",
        }
    )
    assert shop.run("tasklib", "test.integration").code == 0
    shop.git("switch", "-q", "-c", f"later-{token}")
    ran = shop.run("tasklib", "clean")
    assert f"later-{token}: nothing to clean\n" in ran.out
    assert "also of this checkout: 2 image tags" in ran.out
    assert "of other branches (`tasklib clean --all` removes them)" in ran.out
    assert "removed 2 image tags" in shop.run("tasklib", "clean", "--all").out


def test_a_network_that_someone_else_uses_is_said_to_be_left(
    shop: Checkout, traces: Traces, token: str, engine: Any, by_hand: ByHand
) -> None:
    """A run that cannot remove all says what and why, and the next one removes it."""
    shop.write(
        {"services/api/tests.sh": 'echo > "$MARKS/testing"; while [ ! -e "$MARKS/end" ]; do sleep 0.1; done'}
    )
    run = Run(shop, "tasklib", "test.service")
    run.until(lambda: (run.marks / "testing").exists())
    (network,) = traces.networks()
    guest = by_hand(traces.containers()[0]["Image"], f"guest-{token}")
    engine.connect_container_to_network(guest, network["Id"])
    (run.marks / "end").touch()
    assert run.wait() == 0, run.text
    assert f"could not remove network {network['Name']}: something else uses it" in run.text
    assert exists(engine, guest)
    engine.disconnect_container_from_network(guest, network["Id"])
    shop.run("tasklib", "infra.status")
    assert not traces.networks()

"""dev and prod as they are typed, on the engine in memory."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasklib.errors import StackError
from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.engine.values import Container
from tests.memory_compose import MemoryCompose
from tests.memory_engine import MemoryEngine

from ..conftest import Git
from .conftest import Type


@pytest.fixture
def port() -> int:
    """A port of this machine that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
    return number


@pytest.fixture
def stacks(shop: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryCompose]:
    """A dev and a prod stack of a web service at a fixed port and a worker that it needs."""
    for environment in ("dev", "prod"):
        file = shop / "deploy" / environment / "docker-compose.yml"
        file.parent.mkdir(parents=True)
        file.write_text(f'services: {{web: {{image: w, ports: ["{port}:80"]}}, worker: {{image: x}}}}\n')
    engine = MemoryEngine()
    monkeypatch.setattr(DockerEngine, "connect", lambda *wanted, **options: engine)
    monkeypatch.setattr("tasklib.stacks.starting.doors._SETTLED", 0.0)
    web = {"image": "w", "depends_on": {"worker": {"condition": "service_started"}}, "ports": [
        {"target": 80, "published": str(port), "protocol": "tcp", "mode": "ingress"}
    ]}  # fmt: skip
    made = MemoryCompose(engine, {"web": web, "worker": {"image": "x"}})
    made.install(monkeypatch)
    with ExitStack() as doors:

        def open_door(container: Container) -> None:
            if container.service == "web":
                doors.enter_context(socket.create_server(("127.0.0.1", port)))

        engine.on_start = open_door
        yield made


def services(stacks: MemoryCompose, project: str) -> list[str]:
    return sorted(container.service for container in stacks.engine.containers(project))


def test_dev_is_brought_up_looked_at_and_taken_down(stacks: MemoryCompose, typed: Type, port: int) -> None:
    """As its file is written, under the project's name; its volumes stay."""
    assert typed("infra.status --env dev").lines == ["nothing is up"]
    assert typed("infra.up --env dev --dry").lines == ["would bring up shop-dev"]
    up = typed("infra.up --env dev")
    assert up.code == 0, up.err
    assert up.lines[0].startswith("shop-dev is up (")
    assert up.lines[1:] == [f"  web: http://127.0.0.1:{port}"]
    status = typed("infra.status --env dev")
    assert status.lines[0] == "shop-dev"
    assert len(status.lines) == 3
    assert typed("infra.down --env dev --dry").lines == ["would take down shop-dev"]
    assert typed("infra.down --env dev").lines == ["took down shop-dev: 2 containers; its volumes stay"]
    assert services(stacks, "shop-dev") == []
    assert typed("infra.down --env dev").lines == ["nothing is up"]


def test_dev_is_healthy_before_the_engine_has_looked(stacks: MemoryCompose, typed: Type) -> None:
    """Its checks are half a minute apart: who asks for its status meanwhile has them run once."""
    typed("infra.up --env dev")
    worker = stacks.engine.service("shop-dev", "worker")
    stacks.engine.change(worker.id, health="starting", health_test=("check",))
    assert "  worker: running, healthy" in typed("infra.status --env dev").lines


def test_a_part_comes_with_what_it_needs(stacks: MemoryCompose, typed: Type) -> None:
    """Named containers alone, with those that they depend on; an unknown one is refused."""
    typed("infra.up --env dev --name worker")
    assert services(stacks, "shop-dev") == ["worker"]
    typed("infra.up --env dev --name web")
    assert services(stacks, "shop-dev") == ["web", "worker"]
    refused = typed("infra.up --env dev --name wrker")
    assert (refused.code, "Did you mean 'worker'?" in refused.err) == (2, True)


def test_prod_asks_both_ways(stacks: MemoryCompose, typed: Type) -> None:
    """Without a terminal nobody can agree: nothing happens but with --yes, and the engine is named."""
    refused = typed("infra.up --env prod")
    assert (refused.code, services(stacks, "shop-prod")) == (2, [])
    up = typed("infra.up --env prod --yes")
    assert up.code == 0, up.err
    assert up.lines[0].startswith("shop-prod on the engine memory")
    assert typed("infra.down --env prod").code == 2
    assert services(stacks, "shop-prod") == ["web", "worker"]
    assert typed("infra.down --env prod --yes").code == 0
    assert services(stacks, "shop-prod") == []


def test_its_variables_have_names_of_their_own(stacks: MemoryCompose, typed: Type, port: int) -> None:
    """DEV_, so that no test gets there by mistake, and what plain Compose needs to speak to it."""
    typed("infra.up --env dev")
    found = json.loads(typed("infra.env --env dev --format json").out)
    assert found["COMPOSE_PROJECT_NAME"] == "shop-dev"
    assert found["COMPOSE_FILE"].endswith("deploy/dev/docker-compose.yml")
    assert found["DEV_WEB_PORT"] == str(port)
    assert not [name for name in found if name.startswith("TEST_WEB")]


def test_its_config_is_that_of_the_files(stacks: MemoryCompose, typed: Type) -> None:
    """Nothing is rewritten."""
    assert json.loads(typed("infra.config --env dev").out)["services"].keys() == {"web", "worker"}
    assert "nothing is changed" in typed("infra.config --env dev --diff").err


def test_logs_have_their_containers_name(stacks: MemoryCompose, typed: Type) -> None:
    """Of all containers, or of those that were named."""
    assert typed("infra.logs --env dev").lines == ["nothing is up"]
    typed("infra.up --env dev")
    for name in ("web", "worker"):
        container = stacks.engine.service("shop-dev", name)
        stacks.engine.say(container.id, f"{name} is here")
    everything = typed("infra.logs --env dev").out
    assert "web is here" in everything
    assert "worker is here" in everything
    assert "web is here" not in typed("infra.logs --env dev --name worker").out


def test_a_port_that_is_taken_is_named_before_anything_starts(
    stacks: MemoryCompose, typed: Type, port: int
) -> None:
    """With what to write to choose another."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        ran = typed("infra.up --env dev")
    assert ran.code == 2
    assert f"shop-dev needs a port that is in use: {port} of web (by another process)" in ran.err
    assert f"${{WEB_PORT:-{port}}}:80" in ran.err
    assert stacks.did == []


def test_another_checkouts_stack_is_left_alone(
    stacks: MemoryCompose, typed: Type, tmp_path: Path, git: Git
) -> None:
    """It is told whose it is, and how to have both."""
    other = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(Path.cwd()), str(other))
    (other / "deploy/dev").mkdir(parents=True)
    stacks.engine.add_container("shop-dev", "web", labels={
        "com.docker.compose.project.working_dir": str(other / "deploy/dev")
    })  # fmt: skip
    for line in ("infra.up --env dev", "infra.down --env dev"):
        ran = typed(line)
        assert ran.code == 2
        assert f"shop-dev is up from another checkout: {other} (on main)" in ran.err
    assert f"(of {other})" in typed("infra.status --env dev").lines[0]


def test_what_does_not_start_is_told(stacks: MemoryCompose, typed: Type) -> None:
    """With the code of a stack that did not become ready; --fresh is for stacks that keep nothing."""
    stacks.failure = StackError("web cannot be created")
    ran = typed("infra.up --env dev")
    assert ran.code == 4
    assert "web cannot be created" in ran.err
    assert typed("infra.up --env dev --fresh").code == 2

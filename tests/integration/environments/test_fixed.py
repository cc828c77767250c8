"""dev and prod as their files are written: whose they are, on which ports and engine, and what stays."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pexpect
import pytest

from ..conftest import NewProject
from ..projects import PYTHON, Checkout, compose
from ..traces import Traces, until
from ..tunnel import tunnel
from .conftest import FreePort

SERVE = 'command: ["python3", "-m", "http.server", "8000"]\nstop_signal: SIGINT'
Lasting = Callable[[], list[str]]


def web(port: str, *more: str) -> str:
    lines = [f"image: {PYTHON}", SERVE, f'ports: ["127.0.0.1:{port}:8000"]', *more]
    return compose(web="\n".join(lines))


def named(token: str, name: str = "shop") -> dict[str, str]:
    """A project whose Compose projects carry the token: ``shop<token>-dev``."""
    return {"pyproject.toml": f'[tool.tasklib]\nname = "{name}{token}"\n'}


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def shop(project: NewProject, token: str, free_port: FreePort, lasting: Lasting) -> tuple[Checkout, int]:
    """A project with a web server in dev, and the port it has there."""
    port = free_port()
    files = {
        "deploy/dev/docker-compose.yml": web(f"${{WEB_PORT:-{port}}}"),
        "noxfile.py": "from tasklib.sessions import register\n\nregister()\n",
    }
    return project({**named(token), **files}), port


def test_up(shop: tuple[Checkout, int], token: str, traces: Traces) -> None:
    """dev comes up as plain Compose would run it, says where it is, and is left alone while up to date."""
    checkout, port = shop
    ran = checkout.run("tasklib", "infra.up", "--env", "dev")
    assert ran.code == 0, ran
    assert ran.out.splitlines()[-1] == f"  web: http://127.0.0.1:{port}"
    assert answers(port)
    (container,) = traces.containers()
    assert container["Names"] == [f"/shop{token}-dev-web-1"]

    assert checkout.run("nox", "-s", "infra-up", "--", "--env", "dev").code == 0
    variables = json.loads(checkout.run("tasklib", "infra.env", "--env", "dev", "--format", "json").out)
    assert variables["DEV_WEB_URL"] == f"http://127.0.0.1:{port}"
    assert not [name for name in variables if name.startswith("TEST_")]
    plain = checkout.run("docker", "compose", "up", "--detach", env=variables)
    assert plain.code == 0, plain
    assert [row["Id"] for row in traces.containers()] == [container["Id"]]

    status = checkout.run("tasklib", "infra.status", "--env", "dev")
    assert status.out.splitlines() == [f"shop{token}-dev", f"  web: running 127.0.0.1:{port}->8000"]
    logs = checkout.run("tasklib", "infra.logs", "--env", "dev", "--tail", "1")
    assert logs.out.startswith("web | ")
    config = json.loads(checkout.run("tasklib", "infra.config", "--env", "dev").out)
    assert config["services"]["web"]["ports"][0]["published"] == str(port)
    assert checkout.run("tasklib", "infra.down", "--env", "dev").code == 0
    assert checkout.run("tasklib", "infra.down", "--env", "dev").out == "nothing is up\n"
    assert checkout.run("tasklib", "infra.up", "--env", "prod", "--yes").code == 2


def test_other_checkout(shop: tuple[Checkout, int], token: str, traces: Traces) -> None:
    """A second checkout is told whose dev is and which variable changes its port; who is gone has none."""
    checkout, port = shop
    other = checkout.worktree(f"feature/other-{token}")
    assert other.run("tasklib", "infra.up", "--env", "dev").code == 0
    (before,) = traces.containers()
    for verb in ("up", "down"):
        ran = checkout.run("tasklib", f"infra.{verb}", "--env", "dev")
        assert ran.code == 2, ran
        assert f"shop{token}-dev is up from another checkout: {other.root} (on {other.branch})" in ran.err
        assert ("another `name` in [tool.tasklib], and other ports by WEB_PORT (web)" in ran.err) is (
            verb == "up"
        )
    assert f"(of {other.root})" in checkout.run("tasklib", "infra.status", "--env", "dev").out
    assert [row["Id"] for row in traces.containers()] == [before["Id"]]
    shutil.rmtree(other.root)
    assert checkout.run("tasklib", "infra.up", "--env", "dev").code == 0
    assert answers(port)


def test_taken_port(
    shop: tuple[Checkout, int], project: NewProject, token: str, free_port: FreePort, traces: Traces
) -> None:
    """A port that another project or process has is refused: with whose it is and what changes it."""
    checkout, port = shop
    assert checkout.run("tasklib", "infra.up", "--env", "dev").code == 0
    fixed, busy = free_port(), free_port()
    stack = compose(
        web="\n".join([f"image: {PYTHON}", SERVE, f'ports: ["127.0.0.1:${{SITE_PORT:-{port}}}:8000"]']),
        admin="\n".join([f"image: {PYTHON}", SERVE, f'ports: ["127.0.0.1:{busy}:8000"]']),
    )
    second = project({**named(token, "site"), "deploy/dev/docker-compose.yml": stack}, name="site")
    with socket.create_server(("127.0.0.1", busy)):
        ran = second.run("tasklib", "infra.up", "--env", "dev")
    assert ran.code == 2, ran
    assert f"{port} of web (by shop{token}-dev of {checkout.root})" in ran.err
    assert f"{busy} of admin (by another process)" in ran.err
    assert f"SITE_PORT={port + 1}" in ran.err
    assert f'write "${{ADMIN_PORT:-{busy}}}:8000"' in ran.err
    assert traces.projects() == {f"shop{token}-dev"}
    ran = second.run("tasklib", "infra.up", "--env", "dev", env={"SITE_PORT": str(fixed)})
    assert ran.code == 0, ran
    assert f"  web: http://127.0.0.1:{fixed}" in ran.out.splitlines()


def test_down(
    project: NewProject, token: str, free_port: FreePort, lasting: Lasting, engine: Any, traces: Traces
) -> None:
    """down keeps volumes and what the file does not know, and lets containers end by themselves."""
    script = (
        "trap 'echo ended >> /data/log; exit 0' TERM; echo began >> /data/log; while :; do sleep 0.1; done"
    )
    made = project(
        {
            **named(token),
            "deploy/dev/docker-compose.yml": compose(
                worker=f"""
                image: {PYTHON}
                command: ["sh", "-c", {json.dumps(script)}]
                volumes: ["data:/data"]
                """
            )
            + "volumes:\n  data:\n",
        }
    )
    for _ in range(2):
        assert made.run("tasklib", "infra.up", "--env", "dev").code == 0
        image = traces.containers()[0]["Image"]
        orphan = engine.create_container(
            image,
            ["true"],
            labels={"com.docker.compose.project": f"shop{token}-dev", "com.docker.compose.service": "x"},
        )
        ran = made.run("tasklib", "infra.down", "--env", "dev")
        assert (ran.code, "its volumes stay" in ran.out) == (0, True), ran
        assert [row["Id"] for row in traces.containers()] == [orphan["Id"]]
        engine.remove_container(orphan["Id"])
    assert lasting() == [f"shop{token}-dev_data"]
    log = made.run("docker", "run", "--rm", "--volume", f"{lasting()[0]}:/data", image, "cat", "/data/log")
    assert log.out.split() == ["began", "ended"] * 2


def test_failure(project: NewProject, token: str, lasting: Lasting, traces: Traces) -> None:
    """What cannot start is named with its last lines, and the rest stays up to be looked at."""
    stack = compose(
        web=f"image: {PYTHON}\n{SERVE}",
        broken=f"image: {PYTHON}\ncommand: ['sh', '-c', 'echo no database; exit 3']\nports: ['8000']",
    )
    made = project({**named(token), "deploy/dev/docker-compose.yml": stack})
    ran = made.run("tasklib", "infra.up", "--env", "dev")
    assert ran.code == 4, ran
    assert "broken exited with code 3" in ran.err
    assert "broken | no database" in ran.err
    assert {row["State"] for row in traces.containers()} == {"running", "exited"}
    wrong = made.run("tasklib", "infra.up", "--env", "dev", "--name", "wep")
    assert (wrong.code, "Did you mean 'web'?" in wrong.err) == (2, True)
    assert made.run("tasklib", "infra.up", "--env", "dev", "--name", "web").code == 0


@pytest.fixture
def prod(project: NewProject, token: str, free_port: FreePort, lasting: Lasting) -> tuple[Checkout, int]:
    """A project with a web server in prod, and its port."""
    port = free_port()
    stack = web(str(port), "restart: unless-stopped")
    return project({**named(token), "deploy/prod/docker-compose.yml": stack}), port


def test_prod_asks(prod: tuple[Checkout, int], token: str, engine: Any, traces: Traces) -> None:
    """prod says on which engine and context, and starts only when somebody agrees."""
    checkout, port = prod
    name = engine.info()["Name"]
    alone = checkout.run("tasklib", "infra.up", "--env", "prod")
    assert (alone.code, "--yes" in alone.err) == (2, True), alone
    assert f"shop{token}-prod on the engine {name} (context " in alone.out
    dry = checkout.run("tasklib", "--dry", "infra.up", "--env", "prod", "--yes")
    assert (dry.code, traces.containers()) == (0, [])
    for answer, code in (("n", 130), ("y", 0)):
        terminal = pexpect.spawn(
            "tasklib",
            ["infra.up", "--env", "prod"],
            cwd=str(checkout.root),
            env=dict(checkout.env),
            timeout=120,
        )
        terminal.expect(r"Start .*-prod\? \[y/N\] ")
        terminal.sendline(answer)
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert (terminal.exitstatus, answers(port)) == (code, code == 0), terminal.before
    (container,) = traces.containers()
    policy = engine.inspect_container(container["Id"])["HostConfig"]["RestartPolicy"]
    assert policy["Name"] == "unless-stopped"
    down = checkout.run("tasklib", "infra.down", "--env", "prod", "--yes")
    assert (down.code, traces.containers()) == (0, [])


def test_remote_engine(prod: tuple[Checkout, int], engine: Any, traces: Traces) -> None:
    """prod may run on an engine that is reached over the network, which is said."""
    checkout, port = prod
    with tunnel(engine) as far:
        env = {"DOCKER_HOST": f"tcp://127.0.0.1:{far}"}
        ran = checkout.run("tasklib", "infra.up", "--env", "prod", "--yes", env=env)
        assert ran.code == 0, ran
        assert f"(DOCKER_HOST={env['DOCKER_HOST']})" in ran.out
        assert until(lambda: answers(port))
        assert checkout.run("tasklib", "infra.down", "--env", "prod", "--yes", env=env).code == 0
        assert traces.containers() == []

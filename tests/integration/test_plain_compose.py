"""`eval "$(tasklib infra.env)"` gives plain Compose the same instance."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from .conftest import NewProject
from .projects import PYTHON, Checkout, compose
from .traces import Traces

_FILES = {
    "deploy/test/docker-compose.yml": compose(
        web=f"""
        image: {PYTHON}
        command: python -m http.server 8000
        ports: ["18999:8000"]
        environment: {{ANSWER: "4$$2", API_TOKEN: not-for-the-disk}}
        healthcheck:
          test: ["CMD", "python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000')"]
          interval: 5s
        """
    ),
    "tests/integration/test_nothing.py": "def test_nothing(): ...\n",
}


_KEEPING = {
    "deploy/test/docker-compose.yml": compose(
        web=f"""
        image: {PYTHON}
        command: sleep infinity
        init: true
        ports: ["18080:80"]
        volumes: ["data:/data"]
        """
    )
    + "volumes: {data: {}}\n"
}


def _variables(checkout: Checkout) -> tuple[dict[str, str], str]:
    """What ``infra.env`` prints, with the environment around it, and what it says beside."""
    ran = checkout.run("tasklib", "infra.env", "--format", "json")
    assert ran.code == 0, ran
    return {**checkout.env, **json.loads(ran.out)}, ran.err


def _compose(checkout: Checkout, env: dict[str, str], *argv: str) -> str:
    done = subprocess.run(
        ["docker", "compose", *argv], cwd=checkout.root, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_plain_compose_speaks_to_this_instance(project: NewProject, engine: Any) -> None:
    """ps, exec and up find the running stack; up neither recreates a container nor takes the fixed port."""
    shop = project(_FILES)
    assert shop.run("tasklib", "infra.up").code == 0
    try:
        variables = json.loads(shop.run("tasklib", "infra.env", "--format", "json").out)
        env = {**shop.env, **variables}
        before = _compose(shop, env, "ps", "--quiet")
        _compose(shop, env, "up", "--detach")
        assert before
        assert _compose(shop, env, "ps", "--quiet") == before
        assert _compose(shop, env, "exec", "-T", "web", "printenv", "ANSWER").strip() == "4$2"
        assert "18999" not in _compose(shop, env, "ps", "--format", "{{.Ports}}")
        override = Path(variables["COMPOSE_FILE"].split(":")[-1])
        assert "not-for-the-disk" not in override.read_text()
        assert override.stat().st_mode & 0o077 == 0
        # Our own commands are not misled by what we exported.
        assert (
            "web: running"
            in subprocess.run(
                ["tasklib", "infra.status"],
                cwd=shop.root,
                env=env,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
    finally:
        assert shop.run("tasklib", "infra.down").code == 0


def test_paths_start_where_the_settings_say_for_plain_compose_too(project: NewProject, token: str) -> None:
    """A Compose file in a folder of its own, with paths from the root: no variable tells Compose that."""
    files = {
        "pyproject.toml": '[tool.tasklib]\ncompose.test = "docker/ci.yml"\nproject-directory = "."\n',
        "docker/ci.yml": compose(
            web=f"""
            image: {PYTHON}
            env_file: docker/own.env
            volumes: ["./www:/www"]
            ports: ["18998:8000"]
            """
        ),
        "docker/own.env": "ANSWER=42\n",
        "www/index.html": "",
    }
    shop = project(files)
    env, _ = _variables(shop)
    web = json.loads(_compose(shop, env, "config", "--format", "json"))["services"]["web"]
    assert web["volumes"][0]["source"] == str(shop.root / "www")
    assert web["environment"] == {"ANSWER": "42"}
    assert web["container_name"] == f"test-feature-{token}.web"
    assert "published" not in web["ports"][0]
    assert shop.run("tasklib", "clean").code == 0


def test_two_clones_on_one_branch_share_nothing(project: NewProject, traces: Traces, token: str) -> None:
    """Who asks second, before the first has anything up, gets another id, containers and volumes."""
    shops = [project(_KEEPING, name=name) for name in ("first", "second")]
    (first, said), (second, warned) = map(_variables, shops)
    assert first["COMPOSE_PROJECT_NAME"] == f"test-feature-{token}"
    assert said == ""
    assert second["COMPOSE_PROJECT_NAME"] != first["COMPOSE_PROJECT_NAME"]
    assert f"test-feature-{token} is in use by {shops[0].root}" in warned
    for shop, env in zip(shops, (first, second), strict=True):
        _compose(shop, env, "up", "--detach")
        _compose(shop, env, "exec", "-T", "web", "sh", "-c", f"echo {shop.root.name} >> /data/who")
    for shop, env in zip(shops, (first, second), strict=True):
        assert _compose(shop, env, "exec", "-T", "web", "cat", "/data/who") == f"{shop.root.name}\n"
        assert _variables(shop)[0]["COMPOSE_PROJECT_NAME"] == env["COMPOSE_PROJECT_NAME"]
    assert "removed 1 container, 1 network, 1 volume" in shops[0].run("tasklib", "clean").out
    assert _compose(shops[1], second, "exec", "-T", "web", "cat", "/data/who") == "second\n"
    assert "took down" in shops[1].run("tasklib", "infra.down").out
    assert _variables(shops[1])[0]["COMPOSE_PROJECT_NAME"] == f"test-feature-{token}", "both gave it back"
    assert shops[1].run("tasklib", "clean").code == 0


def test_what_others_use_is_named(project: NewProject, engine: Any, token: str) -> None:
    """`clean` and `infra.down` say what they could not remove, and never that there was nothing."""
    shop = project(_KEEPING)
    env, _ = _variables(shop)
    _compose(shop, env, "up", "--detach")
    volume = f"test-feature-{token}.data"
    image = engine.inspect_container(_compose(shop, env, "ps", "--quiet").strip())["Image"]
    mount = engine.create_host_config(binds=[f"{volume}:/data"])
    user = engine.create_container(image, name=f"user-{token}", host_config=mount)["Id"]
    left = f"could not remove volume {volume}: something else uses it\n"
    down = shop.run("tasklib", "infra.down")
    assert (down.out, down.err) == (f"took down test-feature-{token}: 1 container, 1 network\n", left)
    cleaned = shop.run("tasklib", "clean")
    assert (cleaned.out, cleaned.err) == ("", left)
    engine.remove_container(user)
    assert f"feature-{token}: removed 1 volume" in shop.run("tasklib", "clean").out


def test_a_host_port_chosen_beforehand_stays_while_its_service_is_up(
    project: NewProject, traces: Traces
) -> None:
    """Plain Compose, tests and a second `infra.up` leave the container on the port that the first chose."""
    shop = project(
        {
            "deploy/test/docker-compose.yml": compose(
                web=f"""
                image: {PYTHON}
                command: python -m http.server 8000
                ports: ["${{TASKLIB_PORT_WEB_8000:-8080}}:8000"]
                environment: {{PUBLIC_URL: "http://localhost:${{TASKLIB_PORT_WEB_8000:-8080}}"}}
                """
            ),
            "tests/integration/test_web.py": """
                import os, urllib.request

                def test_answers():
                    assert urllib.request.urlopen(os.environ["TEST_WEB_URL"]).status == 200
            """,
        }
    )
    assert shop.run("tasklib", "infra.up").code == 0
    try:
        (before,) = traces.containers()
        env, _ = _variables(shop)
        assert env["TASKLIB_PORT_WEB_8000"] == env["TEST_WEB_PORT"] == str(before["Ports"][0]["PublicPort"])
        for command in (
            ("docker", "compose", "up", "--detach"),
            ("tasklib", "test.integration"),
            ("tasklib", "infra.up"),
        ):
            ran = shop.run(*command, env=env)
            assert ran.code == 0, ran
            assert [row["Id"] for row in traces.containers()] == [before["Id"]], command
    finally:
        assert shop.run("tasklib", "infra.down").code == 0


def test_tests_may_call_plain_compose(project: NewProject, traces: Traces, token: str) -> None:
    """From any folder it is the isolated stack: nothing is made twice, and what is made goes, too."""
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(
                web=f"""
                image: {PYTHON}
                command: python -m http.server 8000
                ports: ["8080:8000"]
                environment: {{SHOP: "${{SHOP_NAME}}"}}
                """
            ),
            "services/api/deploy/test/.env": "SHOP_NAME=ours\n",
            "services/api/tests/integration/test_web.py": """
                import os, subprocess

                def compose(*argv, folder):
                    return docker("compose", *argv, cwd=folder)

                def docker(*argv, **where):
                    done = subprocess.run(["docker", *argv], stdout=subprocess.PIPE, text=True, **where)
                    assert done.returncode == 0
                    return done.stdout

                def containers():
                    mine = f"label=com.docker.compose.project={os.environ['COMPOSE_PROJECT_NAME']}"
                    return set(docker("ps", "--all", "--quiet", "--no-trunc", "--filter", mine).split())

                def test_up_changes_nothing_and_run_joins(tmp_path):
                    before = containers()
                    compose("up", "--detach", "web", folder=tmp_path)
                    assert containers() == before
                    said = compose("run", "-T", "web", "printenv", "SHOP", folder=os.path.dirname(__file__))
                    assert said.strip() == "ours"
                    compose("up", "--detach", "--force-recreate", "web", folder=tmp_path)
                    assert not containers() & before
                    named = docker("network", "ls", "--format", "{{.Name}}").split()
                    assert len([name for name in named if os.environ["COMPOSE_PROJECT_NAME"] in name]) == 1
            """,
        }
    )
    ran = shop.run("tasklib", "test.service")
    assert ran.code == 0, ran
    assert traces.left() == []


_SERVED = f"""
services:
  web:
    image: {PYTHON}
    command: python -m http.server 8000
"""


def test_what_tests_make_of_files_of_their_own_goes_too(project: NewProject, traces: Traces) -> None:
    """With `-f` Compose takes a stack's project and not its files; a run says so, and leaves nothing."""
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": _SERVED,
            "services/api/tests/integration/own/compose.yml": (
                f"{_SERVED}    volumes: [kept:/kept]\nvolumes: {{kept: {{}}}}\n"
            ),
            "services/api/tests/integration/test_web.py": """
                import os, subprocess

                def test_own_files():
                    folder = os.path.join(os.path.dirname(__file__), "own")
                    up = ["docker", "compose", "-f", "compose.yml", "up", "--detach"]
                    subprocess.run(up, cwd=folder, check=True)
            """,
        }
    )
    ran = shop.run("tasklib", "test.service")
    assert ran.code == 0, ran
    assert "`-p` gives such files a project of their own" in ran.out + ran.err
    assert traces.left() == []

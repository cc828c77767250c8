"""Stacks that stay up on purpose: brought up, looked at, used by tests, taken down."""

from __future__ import annotations

import json
import subprocess
import urllib.request

from .conftest import NewProject
from .projects import PYTHON, compose, write
from .traces import Observer, Traces

SERVED = f"""
    image: {PYTHON}
    command: sh -c 'echo ready to sell; exec python -u -m http.server 8000'
    ports: ["8000"]
"""

SHOP = {
    "services/api/deploy/test/docker-compose.yml": compose(api=SERVED),
    "services/api/tests/integration/test_api.py": """
        import os, urllib.request

        def test_answers():
            assert urllib.request.urlopen(os.environ["TEST_API_URL"]).status == 200
    """,
    "deploy/test/docker-compose.yml": compose(
        api=SERVED,
        queue="""
            image: ${REDIS_IMAGE:-redis:7}
            command: redis-server --requirepass queue-secret
            ports: ["6379"]
            volumes: [jobs:/data]
        """,
    )
    + "volumes:\n  jobs: {}\n",
    "pyproject.toml": '[tool.tasklib.endpoints]\nSHOP_URL = "http://{api:8000}/v1"\n',
}


def test_a_stack_is_brought_up_looked_at_and_taken_down(project: NewProject, traces: Traces) -> None:
    """`infra.up`, `status`, `logs`, `env`, `config`, `id` and `down` tell of the same stack."""
    shop = project(SHOP)
    name = f"test-feature-{traces.token}"
    here = "engine: loopback ports: the engine is on this machine"
    assert shop.run("tasklib", "infra.status").lines == [here, "nothing is up"]
    assert shop.run("tasklib", "infra.logs").lines == ["nothing is up"]
    assert shop.run("tasklib", "infra.id").lines == [f"feature-{traces.token}"]

    up = shop.run("tasklib", "infra.up")
    assert up.code == 0, up
    urls = dict(line.strip().split("=", 1) for line in up.out.splitlines()[1:])
    assert up.out.startswith(f"{name} is up (")
    assert sorted(urls) == ["SHOP_URL", "TEST_API_URL", "TEST_QUEUE_URL"]
    assert urllib.request.urlopen(urls["TEST_API_URL"]).status == 200
    assert "queue-secret" not in up.text

    env = json.loads(shop.run("tasklib", "infra.env", "--format", "json").out)
    assert env["TEST_INSTANCE_ID"] == f"feature-{traces.token}"
    assert env["COMPOSE_PROJECT_NAME"] == name
    assert env["TEST_API_URL"] == f"http://127.0.0.1:{env['TEST_API_PORT']}" == urls["TEST_API_URL"]
    assert env["SHOP_URL"] == f"{env['TEST_API_URL']}/v1"
    assert env["TEST_QUEUE_URL"] == f"redis://:queue-secret@127.0.0.1:{env['TEST_QUEUE_PORT_6379']}/0"
    shell = shop.run("sh", "-c", 'eval "$(tasklib infra.env)" && docker compose ps --services')
    assert (shell.code, shell.out.split()) == (0, ["api", "queue"]), shell

    status = shop.run("tasklib", "infra.status")
    assert status.lines[:2] == [here, name]
    assert f"  api: running 127.0.0.1:{env['TEST_API_PORT']}->8000" in status.lines
    assert shop.run("tasklib", "infra.logs", "--name", "api").lines[0] == "api | ready to sell"
    refused = shop.run("tasklib", "infra.logs", "--name", "qeue")
    assert (refused.code, refused.lines) == (
        2,
        ["error: there is no container 'qeue'", "Did you mean 'queue'? Known: api, queue."],
    ), refused

    assert shop.run("invoke", "--dry", "infra.down").code == 1, "no tasks.py, no tasks"
    assert shop.run("tasklib", "--dry", "infra.down").lines == [f"would take down {name}"]
    down = shop.run("tasklib", "infra.down")
    assert down.lines == [f"took down {name}: 2 containers, 1 network, 1 volume"], down
    assert traces.left() == []
    assert shop.run("tasklib", "infra.down").lines == ["nothing is up"]
    assert shop.is_clean


def test_stacks_up_twice_are_brought_up_to_date(project: NewProject, traces: Traces) -> None:
    """A second `up` changes only what changed: the container of a service that did not is the same."""
    shop = project(SHOP)
    assert shop.run("tasklib", "infra.up").code == 0
    before = {row["Labels"]["com.docker.compose.service"]: row["Id"] for row in traces.containers()}
    changed = SHOP["deploy/test/docker-compose.yml"].replace("ready to sell", "open again")
    shop.write({"deploy/test/docker-compose.yml": changed})
    assert shop.run("tasklib", "infra.up").code == 0
    after = {row["Labels"]["com.docker.compose.service"]: row["Id"] for row in traces.containers()}
    assert after["queue"] == before["queue"]
    assert after["api"] != before["api"]
    assert shop.run("tasklib", "infra.logs", "--name", "api").lines[0] == "api | open again"
    shop.git("checkout", "-q", ".")
    assert shop.run("tasklib", "infra.down").code == 0


def test_a_kept_stack_is_not_taken_for_whole_where_the_engine_changed(
    project: NewProject, traces: Traces
) -> None:
    """An image built anew makes another container; one that was removed or stopped by hand comes back."""
    shop = project(
        {
            "deploy/test/docker-compose.yml": compose(
                web=f"""
                    build: {{context: ../.., args: {{BASE: "{PYTHON}"}}}}
                    ports: ["8000"]
                """,
                queue="""
                    image: ${REDIS_IMAGE:-redis:7}
                    ports: ["6379"]
                """,
            ),
            "Dockerfile": """
                ARG BASE
                FROM ${BASE}
                COPY page.html /srv/
                CMD ["python", "-m", "http.server", "8000", "--directory", "/srv"]
            """,
            "page.html": "one",
        }
    )

    def up() -> dict[str, str]:
        ran = shop.run("tasklib", "infra.up")
        assert ran.code == 0, ran
        assert traces.states() == {"running"}
        return {row["Labels"]["com.docker.compose.service"]: row["Id"] for row in traces.containers()}

    first = up()
    assert up() == first
    shop.write({"page.html": "two"})
    second = up()
    assert (second["queue"], second["web"] == first["web"]) == (first["queue"], False)
    subprocess.run(["docker", "stop", "-t", "0", second["queue"]], check=True, capture_output=True)
    assert up() == second
    subprocess.run(["docker", "rm", "-f", second["queue"]], check=True, capture_output=True)
    assert up().keys() == second.keys()
    assert shop.run("tasklib", "infra.down").code == 0


def test_tests_use_a_stack_that_is_up_and_leave_it_up(project: NewProject, traces: Traces) -> None:
    """Service tests run against the kept stack; `--keep` leaves one up that was not."""
    shop = project(SHOP)
    assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
    kept = {row["Id"] for row in traces.containers()}
    with Observer(traces.token) as observer:
        ran = shop.run("tasklib", "test.service")
    assert ran.code == 0, ran
    assert {row["Id"] for row in traces.containers()} == kept
    assert observer.projects == set(), "the kept stack was not started anew"

    down = shop.run("tasklib", "infra.down", "--name", "api")
    assert down.lines == [f"took down test-feature-{traces.token}_api: 1 container, 1 network"], down
    keeping = shop.run("tasklib", "test.service", "--keep")
    assert keeping.code == 0, keeping
    assert traces.projects() == {f"test-feature-{traces.token}_api"}
    assert shop.run("tasklib", "infra.down").code == 0


def test_a_stack_that_cannot_come_up_is_not_kept(project: NewProject, traces: Traces) -> None:
    """`infra.up` says what `test` would, exits 4 and leaves nothing."""
    broken = compose(
        api=f"""
            image: {PYTHON}
            command: sh -c 'echo no database is configured; exit 3'
            ports: ["8000"]
        """
    )
    shop = project({"deploy/test/docker-compose.yml": broken, "tests/unit/test_x.py": "def test_x(): pass\n"})
    ran = shop.run("tasklib", "infra.up")
    assert ran.code == 4, ran
    assert ran.lines[-2:] == [
        "  api | no database is configured",
        "error: the full stack cannot become ready: api exited with code 3",
    ]
    assert "Traceback" not in ran.text
    assert traces.left() == []


def test_secrets_are_masked_in_logs_and_in_what_failed(project: NewProject, traces: Traces) -> None:
    """What a service is given as a password is shown neither by `logs` nor by a stack that fails."""
    service = """
        image: {image}
        environment: {{API_PASSWORD: correct-horse}}
        command: sh -c 'echo log has $$API_PASSWORD; exec python -m http.server 8000'
        ports: ["8000"]
        healthcheck:
          test: ["CMD-SHELL", "{check}"]
          interval: 1s
          retries: 1
    """
    files = {"deploy/test/docker-compose.yml": compose(api=service.format(image=PYTHON, check="true"))}
    shop = project(files)
    assert shop.run("tasklib", "infra.up").code == 0
    assert shop.run("tasklib", "infra.logs").lines[0] == "api | log has ***"
    assert shop.run("tasklib", "infra.down").code == 0
    failing = service.format(image=PYTHON, check="echo check has $$API_PASSWORD; exit 1")
    write(shop.root, {"deploy/test/docker-compose.yml": compose(api=failing)})
    ran = shop.run("tasklib", "infra.up")
    assert ran.code == 4
    assert "api | log has ***" in ran.err
    assert "its health check said: check has ***" in ran.err
    assert "correct-horse" not in ran.out + ran.err


def test_what_the_files_say_is_secret_is_hidden_too(project: NewProject, traces: Traces) -> None:
    """Content of `secrets:`, arguments of builds, and what Compose itself says of a variable's value."""
    built = """
        build:
          context: .
          dockerfile_inline: |
            FROM {image}
            ARG NPM_TOKEN
            RUN echo using $$NPM_TOKEN && test -z "{empty}"
          args: {{NPM_TOKEN: npm-0123456789}}
        command: sh -c 'cat /run/secrets/licence; echo built with npm-0123456789; sleep 600'
        init: true
        secrets: [licence]
    """
    secrets = "secrets:\n  licence: {file: licence.txt}\n"
    path = "deploy/test/docker-compose.yml"
    text = compose(api=built.format(image=PYTHON, empty="")) + secrets
    shop = project({path: text, "deploy/test/licence.txt": "first-line-of-it\nsecond-line-of-it\n"})
    up = shop.run("tasklib", "infra.up")
    assert up.code == 0, up
    logs = shop.run("tasklib", "infra.logs")
    assert logs.lines == ["api | ***", "api | ***", "api | built with ***"], logs
    assert shop.run("tasklib", "infra.down").code == 0

    write(shop.root, {path: compose(api=built.format(image=PYTHON, empty="no")) + secrets})
    failed = shop.run("tasklib", "infra.up")
    assert failed.code == 4, failed
    assert "npm-0123456789" not in failed.text

    write(shop.root, {path: compose(api=f"image: {PYTHON}\nports: ['${{API_TOKEN}}']")})
    refused = shop.run("tasklib", "infra.up", env={"API_TOKEN": "tok-0123456789"})
    assert refused.code == 2, refused
    assert "***" in refused.err
    assert "tok-0123456789" not in refused.text


def test_a_service_called_like_an_option_is_a_service(project: NewProject, traces: Traces) -> None:
    """Nothing is pushed, and no dry run is made, because of what something is called."""
    service = f"""
        image: --dry-run.example/x:1
        build: {{dockerfile_inline: "FROM {PYTHON}"}}
        command: python -m http.server 8000
        init: true
        ports: ["8000"]
    """.replace("--dry-run.example", f"built-{traces.token}")
    text = compose(**{"--dry-run": service, "--push": service.replace("/x:", "/y:")})
    shop = project(
        {
            "deploy/test/docker-compose.yml": text,
            "services/--push/deploy/test/docker-compose.yml": text,
            "services/--push/tests/integration/test_it.py": """
                import os, urllib.request

                def test_answers():
                    assert urllib.request.urlopen(os.environ["TEST___PUSH_URL"]).status == 200
            """,
            "deploy/dev/docker-compose.yml": text,
            "pyproject.toml": f'[tool.tasklib]\nname = "s{traces.token}"\n',
        }
    )
    ran = shop.run("tasklib", "test.service", "--name=--push")
    assert ran.code == 0, ran
    up = shop.run("tasklib", "infra.up")
    assert up.code == 0, up
    assert all(
        line.startswith("--push | ") for line in shop.run("tasklib", "infra.logs", "--name=--push").lines
    )
    down = shop.run("tasklib", "infra.down")
    assert "2 containers" in down.out, down
    try:
        up = shop.run("tasklib", "infra.up", "--env", "dev", "--name=--push")
        assert up.code == 0, up
        assert "--push: http" in up.out, up
        assert "--dry-run" not in up.out, up
    finally:
        down = shop.run("tasklib", "infra.down", "--env", "dev")
        subprocess.run(
            ["docker", "image", "rm", f"built-{traces.token}/y:1"], check=True, capture_output=True
        )
    assert "1 container;" in down.out, down


def test_the_isolated_config_is_what_compose_accepts(project: NewProject) -> None:
    """`infra.config` of a project, of one service and of any file is a config that Compose reads."""
    shop = project({**SHOP, "else/where.yml": compose(web="image: nginx:1\nports: ['8080:80']")})
    for words in ([], ["--name", "api"], ["--file", "else/where.yml"]):
        ran = shop.run("tasklib", "infra.config", *words)
        assert ran.code == 0, ran
        read = subprocess.run(
            ["docker", "compose", "-f", "-", "config", "--quiet"], input=ran.out, text=True, check=False
        )
        assert read.returncode == 0
        for service in json.loads(ran.out)["services"].values():
            assert all(port["host_ip"] == "127.0.0.1" for port in service["ports"])
            assert not any(port.get("published") == "8080" for port in service["ports"])
    diff = shop.run("tasklib", "infra.config", "--file", "else/where.yml", "--diff")
    assert "8080" in diff.out
    assert len(diff.lines) < 30


def test_what_the_installed_compose_does_not_know_is_said_with_its_version(project: NewProject) -> None:
    """An element that is newer than Compose, or misspelt: which Compose it is helps to tell."""
    shop = project({"compose.yml": compose(api=SERVED) + "elements_of_next_year: {}\n"})
    ran = shop.run("tasklib", "infra.config", "--file", "compose.yml")
    assert ran.code == 2, ran
    assert "elements_of_next_year" in ran.err
    version = shop.run("docker", "compose", "version", "--short").out.strip()
    assert f"Compose {version} is installed" in ran.err


def test_a_store_in_memory_that_the_tests_restarted_is_named_where_they_fail(
    project: NewProject, traces: Traces
) -> None:
    """Its data is gone with its container; `persistent` in [tool.tasklib] keeps it."""
    queue = "image: ${REDIS_IMAGE:-redis:7}\nports: ['6379']\nvolumes: [jobs:/data]"
    tests = """
        import os, subprocess

        def test_survives():
            names = ["docker", "ps", "-q", "--filter", "label=com.docker.compose.service=queue",
                     "--filter", f"label=com.docker.compose.project={os.environ['COMPOSE_PROJECT_NAME']}"]
            (queue,) = subprocess.check_output(names, text=True).split()
            subprocess.run(["docker", "exec", queue, "touch", "/data/mark"], check=True)
            subprocess.run(["docker", "restart", "-t", "0", queue], check=True)
            subprocess.run(["docker", "exec", queue, "test", "-e", "/data/mark"], check=True)
    """
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(queue=queue) + "volumes:\n  jobs: {}\n",
            "services/api/tests/integration/test_api.py": tests,
        }
    )
    said = "queue restarted; its data was in memory and is gone"
    failed = shop.run("tasklib", "test.service")
    assert (failed.code, said in failed.text) == (1, True), failed
    shop.write({"pyproject.toml": '[tool.tasklib]\npersistent = ["queue"]\n'})
    kept = shop.run("tasklib", "test.service")
    assert (kept.code, said in kept.text) == (0, False), kept
    assert traces.left() == []

"""Runs in a container that has the engine's socket, as CI runners, devcontainers and sandboxes give it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.engine.values import Resource
from tasklib.stacks.leases import SECONDS, sweep_leases

from ..conftest import NewProject
from ..projects import PYTHON, Checkout, compose
from ..traces import Observer, Traces, until
from .job import Job, job

API = "services/api/deploy/test/docker-compose.yml"
SERVED = f"""
    image: {PYTHON}
    command: python -u -m http.server 8000 --directory /served
    ports: ["8000"]
"""
ANSWERS = """
    import os, urllib.request

    def read(path):
        return urllib.request.urlopen(os.environ["TEST_API_URL"] + path).read().decode()
"""


@contextmanager
def alone(engine: Any, checkout: Checkout, traces: Traces, **how: Any) -> Iterator[Job]:
    """A job that is on no network of ours, and on none afterwards."""
    with job(engine, checkout, **how) as made:
        before = made.networks()
        yield made
        assert made.networks() == before
        made.run("tasklib", "clean")


def test_the_main_job(engine: Any, example: Checkout, traces: Traces) -> None:
    """The README's own line passes on a checkout that the engine's machine does not have, nothing published.

    The database gets its schema although nothing can be mounted; the job leaves each network it joined.
    """
    with alone(engine, example, traces) as made, Observer(traces.token) as observer:
        ran = made.run("nox", "-s", "unit", "service", "integration")
        assert ran.code == 0, ran
        assert len(ran.lines) <= 14, ran
        name = f"test-feature-{traces.token}"
        assert observer.projects == {name, f"{name}_api", f"{name}_worker", f"{name}_frontend"}
        assert observer.published == set()
        assert traces.left() == [f"claim of {name}"] or traces.left() == []


def test_a_stack_is_reached_while_it_is_up_and_left_when_it_goes(
    engine: Any, project: NewProject, traces: Traces
) -> None:
    """`infra.up`, `env`, `status` and pytest alone see the containers' own addresses; `down` has us leave."""
    shop = project(
        {
            "deploy/test/docker-compose.yml": compose(api=SERVED.replace("/served", "/etc")),
            "tests/integration/test_api.py": ANSWERS + "\n    def test_it(): assert read('/os-release')\n",
        }
    )
    with alone(engine, shop, traces) as made:
        up = made.run("tasklib", "infra.up")
        assert up.code == 0, up
        networks = made.networks()
        assert len(networks) == 2
        env = dict(
            row.split("=", 1) for row in made.run("tasklib", "infra.env", "--format", "dotenv").out.split()
        )
        assert env["TEST_API_PORT"] == "8000"
        assert env["TEST_API_HOST"] != "127.0.0.1"
        status = made.run("tasklib", "infra.status").lines
        assert status[0] == "engine: this container joins the stacks' networks: it runs on this engine"
        assert f"  api: running {env['TEST_API_HOST']}:8000->8000" in status
        ran = made.run("pytest", "-q", "--stack", "full", "tests/integration")
        assert ran.code == 0, ran
        assert made.networks() == networks, "a kept stack's network is not left by a run that used it"
        assert made.run("tasklib", "infra.down").code == 0
    assert traces.left_of_stacks() == []


@pytest.mark.parametrize("reaper", [True, False], ids=["the run", "the run and its reaper"])
def test_it_leaves_whatever_kills_the_run(
    engine: Any, project: NewProject, traces: Traces, *, reaper: bool
) -> None:
    """The reaper removes the networks that we are on; without it the next run does."""
    slow = "import time\n\n    def test_it(): time.sleep(600)\n"
    shop = project({API: compose(api=SERVED), "services/api/tests/integration/test_api.py": f"    {slow}"})
    with alone(engine, shop, traces) as made:
        with subprocess.Popen(made.command("tasklib", "test.service"), stdout=subprocess.DEVNULL) as running:
            assert until(lambda: len(made.networks()) == 2)
            if not reaper:
                made.kill("tasklib.stacks.reaper")
            made.kill("tasklib test.service")
            running.wait()
        if not reaper:
            assert len(made.networks()) == 2
            assert "left by a run that was killed" in made.run("tasklib", "infra.status").err
            # A second look finds nothing that the engine was still making: the record goes, and the lease.
            assert made.run("tasklib", "infra.status").code == 0
        assert until(lambda: traces.left_of_stacks() == [])


class Later(DockerEngine):
    """The machine's engine as it is once the leases of one checkout have run out."""

    checkout = "nobody's"

    def volume_ages(self, label: str) -> tuple[tuple[Resource, float], ...]:
        found = super().volume_ages(label)
        return tuple((v, SECONDS + 1 if self.checkout in v.labels.values() else age) for v, age in found)


def test_what_a_job_leaves_that_is_killed_whole_goes_once_its_lease_is_over(
    engine: Any, project: NewProject, traces: Traces
) -> None:
    """Its state, its reaper and its lock die with the container: the lease alone knows of it."""
    slow = "import time\n\n    def test_it(): time.sleep(600)\n"
    shop = project({API: compose(api=SERVED), "services/api/tests/integration/test_api.py": f"    {slow}"})
    with job(engine, shop) as made:
        command = made.command("tasklib", "test.service")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            assert until(lambda: traces.states() == {"running"})
            subprocess.run(["docker", "kill", made.name], check=True, capture_output=True)
            running.wait()
    left = traces.containers()
    assert left
    with contextlib.closing(Later.connect()) as later:
        assert isinstance(later, Later)
        stack = f"test-feature-{traces.token}_api"
        assert stack not in sweep_leases(later), "until then it may live"
        later.checkout = left[0]["Labels"]["io.tasklib.checkout"]
        assert stack in sweep_leases(later)
        assert traces.left() == []
        assert later.owned({"io.tasklib.lease.checkout": later.checkout}) == ()


def test_a_checkout_that_the_machine_has_is_mounted_by_its_path_there(
    engine: Any, project: NewProject, traces: Traces
) -> None:
    """Nothing is copied, and what a container writes is in the checkout."""
    mounts = 'volumes: ["./served:/served:ro", "./out:/out"]'
    shop = project(
        {
            API: compose(api=f"{SERVED}    {mounts}"),
            "services/api/deploy/test/served/page": "hello",
            "services/api/deploy/test/out/.keep": "",
            "services/api/tests/integration/test_api.py": ANSWERS
            + "\n    def test_it(): assert read('/page') == 'hello'\n",
        }
    )
    with alone(engine, shop, traces, mounted=True) as made:
        config = made.run("tasklib", "infra.config", "--name", "api").out
        assert f'"source": "{shop.root}/services/api/deploy/test/out"' in config
        ran = made.run("tasklib", "test.service")
        assert ran.code == 0, ran


FILES = """
    volumes:
      - ./served:/served:ro
      - ./conf.d:/etc/apt/apt.conf.d:ro
    secrets: [{source: key, target: api-key, uid: "101", mode: 0440}, plain]
"""
SECRETS = "secrets:\n  key: {file: ./key}\n  plain: {file: ./key}\n"
SEEN = """
    import subprocess, os

    def inside(*argv):
        name = os.environ["COMPOSE_PROJECT_NAME"] + ".api"
        return subprocess.run(["docker", "exec", name, *argv], capture_output=True, text=True).stdout

    def test_files():
        assert inside("sh", "-c", "ls /served | wc -l").strip() == "10000"
        assert inside("ls", "/etc/apt/apt.conf.d").split() == ["ours"]
        assert inside("stat", "-c", "%a %u", "/etc/apt/apt.conf.d/ours").split() == ["750", "0"]
        assert inside("stat", "-c", "%a %u", "/run/secrets/api-key").split() == ["440", "101"]
        assert inside("cat", "/run/secrets/plain").strip() == "secret"
"""


def test_files_are_copied_where_no_disk_is_shared(engine: Any, project: NewProject, traces: Traces) -> None:
    """Ten thousand, with mode and owner; a folder hides what the image has there, as a mount would."""
    shop = project(
        {
            API: compose(api=SERVED + FILES) + SECRETS,
            "services/api/deploy/test/key": "secret",
            "services/api/deploy/test/conf.d/ours": "// nothing",
            "services/api/deploy/test/served/0": "",
            "services/api/tests/integration/test_api.py": SEEN,
        }
    )
    served = shop.root / "services/api/deploy/test/served"
    (served.parent / "conf.d/ours").chmod(0o750)
    for number in range(1, 10_000):
        (served / str(number)).touch()
    with alone(engine, shop, traces) as made:
        ran = made.run("tasklib", "test.service")
        assert ran.code == 0, ran


def test_a_folder_to_be_written_to_is_refused_unless_a_copy_will_do(
    engine: Any, project: NewProject, traces: Traces
) -> None:
    """Before anything starts, with the reason and the line that allows it; the copy is written to then."""
    shop = project(
        {
            API: compose(api=f'{SERVED}    volumes: ["./served:/served"]'),
            "services/api/deploy/test/served/page": "hello",
            "services/api/tests/integration/test_api.py": ANSWERS
            + "\n    def test_it(): assert read('/page') == 'hello'\n",
        }
    )
    with alone(engine, shop, traces) as made:
        ran = made.run("tasklib", "test.service")
        assert ran.code == 2, ran
        assert "would not come back" in ran.text
        assert 'copy-in = ["/builds/shop/services/api/deploy/test/served"]' in ran.text
    shop.write({"pyproject.toml": '[tool.tasklib]\ncopy-in = ["services/api/deploy/test/served"]\n'})
    with alone(engine, shop, traces) as made:
        ran = made.run("tasklib", "test.service")
        assert ran.code == 0, ran


def test_on_the_machines_own_network_ports_are_those_of_its_loopback(
    engine: Any, project: NewProject, traces: Traces
) -> None:
    """The network is shared and the disk is not: each is decided by itself."""
    shop = project(
        {
            API: compose(api=f'{SERVED}    volumes: ["./served:/served:ro"]'),
            "services/api/deploy/test/served/page": "hello",
            "services/api/tests/integration/test_api.py": ANSWERS
            + "\n    def test_it(): assert read('/page') == 'hello'\n"
            + "    def test_where(): assert os.environ['TEST_API_HOST'] == '127.0.0.1'\n",
        }
    )
    with alone(engine, shop, traces, options=("--network", "host")) as made:
        ran = made.run("tasklib", "test.service")
        assert ran.code == 0, ran

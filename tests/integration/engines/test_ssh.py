"""An engine at the other end of ssh: all goes through one connection, and nothing is published there."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..cleanup.engines import OwnEngine, own_engine
from ..conftest import NewProject
from ..projects import PYTHON, Checkout, compose
from ..traces import processes_of, until
from .door import Door, door, why_not

pytestmark = [pytest.mark.engine, pytest.mark.skipif(bool(why_not()), reason=why_not())]

SERVED = f"""
    image: {PYTHON}
    command: python -u -m http.server 8000 --directory /served
    ports: ["18473:8000"]
    volumes: ["./served:/served:ro"]
"""


@pytest.fixture(scope="module")
def far() -> Iterator[OwnEngine]:
    """An engine with the images of these tests, in a network of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tasklib-far-"))
    with own_engine(folder) as engine:
        engine.load(os.environ["PYTHON_IMAGE"])
        yield engine
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def through(far: OwnEngine, tmp_path: Path, state: Path) -> Iterator[Door]:
    with door(far, tmp_path / "door") as made:
        yield made
        # Who still removes something needs the door: it would knock for minutes once that is closed.
        assert until(lambda: processes_of(state) == []), processes_of(state)
        assert until(lambda: far.left() == []), far.left()


def shop_of(project: NewProject, test: str, *, more: str = "", name: str = "shop") -> Checkout:
    """A project of one service, of which ``more`` is said, whose tests are ``test``."""
    return project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(api=f"{SERVED}    {more}"),
            "services/api/deploy/test/served/page": "hello",
            "services/api/tests/integration/test_api.py": f"""
                import os, pathlib, time, urllib.request

                def read():
                    url = os.environ["TEST_API_URL"]
                    assert url.startswith("http://127.0.0.1:")
                    return urllib.request.urlopen(url + "/page", timeout=10).read()

                def test_it():
                    {test}
            """,
        },
        name=name,
        branch=f"{name}-{{token}}",
    )


def test_tests_run_through_one_connection(project: NewProject, far: OwnEngine, through: Door) -> None:
    """Containers have their files and publish nothing; what the tests get is a port of our loopback."""
    shop = shop_of(project, "assert read() == b'hello'; time.sleep(float(os.environ.get('LONG', 0)))")
    ran = shop.run("tasklib", "test.service", env=through.env)
    assert ran.code == 0, ran
    assert through.accepted == 1
    assert "ports forwarded over ssh" in ran.text
    with shop.during("tasklib", "test.service", env={**through.env, "LONG": "600"}):
        assert until(lambda: "running" in {row["State"] for row in far.containers()})
        assert [
            row["Ports"] for row in far.containers() if any("PublicPort" in p for p in row["Ports"])
        ] == []
    assert until(lambda: far.left() == [])


def test_a_connection_that_is_lost_is_opened_again(
    project: NewProject, far: OwnEngine, through: Door, tmp_path: Path
) -> None:
    """In the middle of tests: the same port leads there again, and the stack is taken down at the end."""
    began, go = tmp_path / "began", tmp_path / "go"
    lines = [
        f"read(); pathlib.Path({str(began)!r}).touch()",
        f"while not os.path.exists({str(go)!r}): time.sleep(0.05)",
        "for _ in range(600):",
        "    try: return read()",
        "    except OSError: time.sleep(0.05)",
        "raise AssertionError",
    ]
    shop = shop_of(project, f"\n{' ' * 20}".join(lines))
    with shop.during("tasklib", "test.service", env=through.env) as running:
        assert until(began.exists), running.text
        through.cut()
        assert until(lambda: through.accepted == 2)
        go.touch()
        ran = running.wait()
    assert ran.code == 0, ran
    assert "the ssh connection to 127.0.0.1 was lost and opened again" in ran.text


def test_runs_whose_connection_is_gone_say_so(
    project: NewProject, far: OwnEngine, through: Door, tmp_path: Path
) -> None:
    """In the middle of up, of tests and of down: in a line, with exit code 3, and what was left is removed.

    Removing takes as long as the engine's containerd stands still.
    """
    began, go = tmp_path / "began", tmp_path / "go"
    number = far.containerd
    waits = [
        f"pathlib.Path({str(began)!r}).touch()",
        f"while not os.path.exists({str(go)!r}): time.sleep(0.05)",
    ]
    shops = {
        "up": shop_of(
            project,
            "pass",
            more='healthcheck: {test: ["CMD", "false"], interval: 1s, retries: 9999}',
            name="up",
        ),
        "tests": shop_of(project, f"\n{' ' * 20}".join(waits), name="tests"),
        "down": shop_of(project, f"os.kill({number}, 19)", name="down"),
    }
    with ExitStack() as held:
        runs = {
            name: held.enter_context(shop.during("tasklib", "test.service", env=through.env))
            for name, shop in shops.items()
            if name != "down"
        }
        held.callback(os.kill, number, signal.SIGCONT)
        assert until(lambda: began.exists() and len(far.containers()) == 2), runs["up"].text
        runs["down"] = held.enter_context(shops["down"].during("tasklib", "test.service", env=through.env))
        assert until(lambda: "1 passed" in runs["down"].text), runs["down"].text
        through.cut(shut=True)
        go.touch()
        for name, running in runs.items():
            ran = running.wait()
            assert "the ssh connection to 127.0.0.1 was lost and cannot be opened again" in ran.text, ran
            assert (name, ran.code) == (name, 3), ran
            assert "Traceback" not in ran.text
    through.cut(shut=False)
    assert shops["up"].run("tasklib", "infra.status", env=through.env).code == 0


def test_a_store_is_baked_there_without_the_files_that_it_was_given(
    project: NewProject, far: OwnEngine, through: Door
) -> None:
    """It initialises once, from copies, which its image does not keep: each start brings its own."""
    far.load(os.environ["POSTGRES_IMAGE"])
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(
                db="""
    image: ${POSTGRES_IMAGE:-postgres:16}
    environment: {POSTGRES_PASSWORD: of-nobody}
    ports: ["5432"]
    volumes: ["./init.sql:/docker-entrypoint-initdb.d/1.sql:ro"]
"""
            ),
            "services/api/deploy/test/init.sql": "CREATE TABLE made AS SELECT 'first' AS what;",
        }
    )
    env = {**through.env, "TASKLIB_BAKE": "1"}
    images = []
    for _ in range(2):
        up = shop.run("tasklib", "infra.up", "--name", "api", env=env)
        assert up.code == 0, up
        (row,) = far.containers()
        images.append(row["Image"])
        asked = ("docker", "-H", far.host, "exec", row["Id"], "psql", "-U", "postgres", "-Atc")
        assert shop.run(*asked, "SELECT what FROM made").out.strip() == "first"
        assert shop.run("tasklib", "infra.down", env=env).code == 0
    assert len(set(images)) == 1
    assert images[0].startswith("tasklib-bake/")
    ls = ("docker", "-H", far.host, "run", "--rm", "--network=none", "--entrypoint=ls", images[0])
    assert shop.run(*ls, "/docker-entrypoint-initdb.d").out == ""
    assert shop.run("tasklib", "clean", env=env).code == 0


def test_an_engine_that_dies_behind_the_door_while_stacks_go_down(
    project: NewProject, far: OwnEngine, through: Door
) -> None:
    """The connection lives on, and the reason is the engine; the next run removes what was left."""
    shop = shop_of(project, f"os.kill({far.containerd}, 19)", name="dies")
    with shop.during("tasklib", "test.service", env=through.env) as running:
        assert until(lambda: "1 passed" in running.text), running.text
        far.send(signal.SIGKILL)
        ran = running.wait()
    assert ran.code == 3, ran
    assert [line for line in ran.lines if "the Docker engine" in line], ran
    assert "Traceback" not in ran.text
    far.start()
    assert shop.run("tasklib", "clean", env=through.env).code == 0


def test_an_engine_that_restarts_while_tests_run_is_the_reason(
    project: NewProject, far: OwnEngine, through: Door
) -> None:
    """Its containers end with it: what tests said meanwhile is no result of the project's."""
    wait = f"os.kill({far.daemon}, 9)\n{' ' * 20}"
    wait += f"while True:\n{' ' * 24}read(); time.sleep(0.05)"
    shop = shop_of(project, wait, name="again")
    with shop.during("tasklib", "test.service", env=through.env) as running:
        far.wait()
        far.start()
        ran = running.wait()
    assert ran.code == 3, ran
    assert "the Docker engine restarted while tests ran" in ran.text, ran
    assert "Traceback" not in ran.text


@pytest.mark.parametrize("host", ["ssh://root@127.0.0.1:1", "ssh://-oProxyCommand=touch${IFS}pwned"])
def test_no_way_is_told_in_two_lines(project: NewProject, through: Door, host: str) -> None:
    """With ssh's own reason; what looks like an option is none."""
    shop = shop_of(project, "pass")
    ran = shop.run("tasklib", "test.service", env={**through.env, "DOCKER_HOST": host})
    assert (ran.code, len(ran.lines)) == (3, 2), ran
    assert not (shop.root / "pwned").exists()

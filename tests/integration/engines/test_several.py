"""Several engines, each at the other end of its own ssh connection: stacks are placed, and moved."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..cleanup.engines import OwnEngine, own_engine
from ..conftest import NewProject
from ..projects import PYTHON, Checkout, compose
from ..release.registry import BESIDE, beside
from ..traces import processes_of, until
from .door import Door, doors, why_not

pytestmark = [pytest.mark.engine, pytest.mark.skipif(bool(why_not()), reason=why_not())]

BUILT = f"""
    build:
      dockerfile_inline: |
        FROM {PYTHON}
        RUN mkdir /served && echo hello >/served/page
    command: python -u -m http.server 8000 --directory /served
    ports: ["18474:8000"]
"""

NOWHERE = "ssh://root@127.0.0.1:1"


@pytest.fixture(scope="module")
def pair() -> Iterator[list[OwnEngine]]:
    """Two engines with the image of these tests, each in a network of its own; the second one keeps images in
    containerd's store, as new ones do."""
    with ExitStack() as held:
        engines = []
        for containerd in (False, True):
            folder = Path(tempfile.mkdtemp(prefix="tasklib-far-"))
            held.callback(shutil.rmtree, folder, ignore_errors=True)
            settings = folder.with_suffix(".json")
            settings.write_text(json.dumps({"features": {"containerd-snapshotter": containerd}}))
            held.callback(settings.unlink)
            engine = held.enter_context(own_engine(folder, [f"--config-file={settings}"]))
            engine.load(os.environ["PYTHON_IMAGE"])
            engines.append(engine)
        yield engines


@pytest.fixture
def ways(pair: list[OwnEngine], tmp_path: Path, state: Path) -> Iterator[list[Door]]:
    with doors(pair, tmp_path / "door") as made:
        yield made
        # Who still removes something needs the door.
        assert until(lambda: processes_of(state) == []), processes_of(state)
        for engine in pair:
            assert until(lambda engine=engine: engine.left() == []), engine.left()


def shop_of(project: NewProject, engines: Sequence[str], test: str) -> Checkout:
    """A project of two services whose stacks go to ``engines``; ``test`` is that of each."""
    listed = ", ".join(f'"{engine}"' for engine in engines)
    files = {"pyproject.toml": f'[project]\nname = "shop"\n\n[tool.tasklib]\nengines = [{listed}]\n'}
    for name in ("api", "web"):
        files |= {
            f"services/{name}/deploy/test/docker-compose.yml": compose(web=BUILT),
            f"services/{name}/tests/integration/test_{name}.py": f"""
                import os, pathlib, time, urllib.request

                HOST = os.environ.get("DOCKER_HOST") or os.environ["DOCKER_CONTEXT"]

                def read():
                    return urllib.request.urlopen(os.environ["TEST_WEB_URL"] + "/page", timeout=10).read()

                def test_it():
                    {test}
            """,
        }
    return project(files)


def test_stacks_are_placed_where_there_is_room(
    project: NewProject, pair: list[OwnEngine], ways: list[Door], tmp_path: Path
) -> None:
    """One on each; the engine that cannot be reached is named in a line. Every command sees all of them."""
    there = tmp_path / "there"
    note = f"assert read() == b'hello\\n'; pathlib.Path({str(there)!r}).open('a').write(HOST + '\\n')"
    hosts = [way.host for way in ways]
    shop, env = shop_of(project, [*hosts, NOWHERE], note), {"PATH": ways[0].env["PATH"]}
    ran = shop.run("tasklib", "test.service", env=env)
    assert ran.code == 0, ran
    assert [line for line in ran.lines if f"engine {NOWHERE} is left out" in line], ran
    assert sorted(there.read_text().split()) == sorted(hosts)

    up = shop.run("tasklib", "infra.up", "--name", "api", "--name", "web", env=env)
    assert up.code == 0, up
    assert [len(engine.containers()) for engine in pair] == [1, 1]
    status = shop.run("tasklib", "infra.status", env=env)
    assert [line.partition(": ports")[0] for line in status.lines if ": ports" in line] == [
        f"engine {host}" for host in hosts
    ], status
    assert status.text.count("web: running") == 2, status
    down = shop.run("tasklib", "infra.down", env=env)
    assert down.text.count("took down") == 2, down
    clean = shop.run("tasklib", "clean", env=env)
    assert clean.text.count("removed") == 2, clean


def test_an_image_is_built_once_for_all_engines(
    project: NewProject, pair: list[OwnEngine], ways: list[Door], tmp_path: Path
) -> None:
    """One builds it and pushes it to the registry that both have, the other one takes it from there; both
    have what it is built on from there, too."""
    shop, env = shop_of(project, [way.host for way in ways], "assert read() == b'hello\\n'"), ways[0].env
    with (shop.root / "pyproject.toml").open("a") as settings:
        settings.write(f'\n[tool.tasklib.images]\nname = "{BESIDE}/shop-{{service}}"\nreuse = "push"\n')
    base = f"{BESIDE}/python:1"
    for file in shop.root.glob("services/*/deploy/test/docker-compose.yml"):
        file.write_text(file.read_text().replace(PYTHON, base))
    with beside(pair, tmp_path / "registry"):
        for words in (("tag", os.environ["PYTHON_IMAGE"], base), ("push", base), ("rmi", base)):
            done = shop.run("docker", "-H", pair[0].host, *words)
            assert done.code == 0, done
        ran = shop.run("tasklib", "test.service", env={"PATH": env["PATH"]})
        assert ran.code == 0, ran
        said = ran.text + Path(ran.text.rpartition("Full log: ")[2].strip()).read_text()
        assert said.count("its image is in the registry, built from just these files") == 1, said
        assert "does not let us" not in said
        asked = pair[0].within("curl", "-sf", f"http://{BESIDE}/v2/shop-web/tags/list")
        assert len(json.loads(shop.run(*asked).out)["tags"]) == 1
    clean = shop.run("tasklib", "clean", env={"PATH": env["PATH"]})
    assert clean.code == 0, clean
    for engine in pair:
        shop.run("docker", "-H", engine.host, "rmi", base)
        left = shop.run("docker", "-H", engine.host, "images", "--all", "--quiet", "--no-trunc").lines
        assert len(set(left)) == 1, "the image of these tests alone is left"


def test_the_default_engine_and_one_of_a_context(
    project: NewProject, pair: list[OwnEngine], ways: list[Door], tmp_path: Path
) -> None:
    """Each has a stack; a pytest that nobody but its user started finds one on either."""
    there = tmp_path / "there"
    note = f"assert read() == b'hello\\n'; pathlib.Path({str(there)!r}).open('a').write(HOST + '\\n')"
    shop = shop_of(project, ["default", "context:big"], note)
    env = {"PATH": ways[0].env["PATH"], "DOCKER_CONFIG": str(tmp_path / "docker")}
    create = ("docker", "context", "create", "big", "--docker", f"host={ways[1].host}")
    assert shop.run(*create, env=env).code == 0
    env["DOCKER_HOST"] = ways[0].host
    ran = shop.run("tasklib", "test.service", env=env)
    assert ran.code == 0, ran
    assert sorted(there.read_text().split()) == sorted(["big", ways[0].host])

    alone = shop.run("pytest", "--stack", "own", "services/api/tests/integration", env=env)
    assert (alone.code, "1 passed" in alone.text) == (0, True), alone
    assert len(there.read_text().split()) == 3
    clean = shop.run("tasklib", "clean", env=env)
    assert clean.code == 0, clean


def test_an_engine_that_dies_has_its_targets_run_again_elsewhere(
    project: NewProject, pair: list[OwnEngine], ways: list[Door], tmp_path: Path
) -> None:
    """Once, and the summary says so; what it had goes with the next command that reaches it."""
    began, go, dying = tmp_path / "began", tmp_path / "go", ways[1].host
    lines = [
        f"if HOST == {dying!r}:",
        f"    pathlib.Path({str(began)!r}).touch()",
        f"    while not os.path.exists({str(go)!r}): time.sleep(0.05)",
        "assert read() == b'hello\\n'",
    ]
    hosts = [way.host for way in ways]
    shop, env = shop_of(project, hosts, f"\n{' ' * 20}".join(lines)), {"PATH": ways[0].env["PATH"]}
    try:
        with shop.during("tasklib", "test.service", env=env) as running:
            assert until(began.exists), running.text
            pair[1].die()
            go.touch()
            ran = running.wait()
    finally:
        pair[1].start()
    assert ran.code == 0, ran
    assert f"run again on {hosts[0]}: {dying} stopped answering" in ran.text, ran
    assert "PASSED: 2 passed in 2 targets, 1 run again on another engine" in ran.text, ran
    cleaned = shop.run("tasklib", "clean", env=env)
    assert cleaned.code == 0, cleaned


def test_no_engine_at_all_is_told_once(project: NewProject, ways: list[Door]) -> None:
    """With the reason of each, and exit code 3."""
    shop = shop_of(project, [NOWHERE, "context:nowhere"], "pass")
    ran = shop.run("tasklib", "test.service", env={"PATH": ways[0].env["PATH"]})
    assert ran.code == 3, ran
    assert "none of the engines answers" in ran.text, ran


def test_what_is_watched_stays_where_it_is_and_moves_where_that_dies(
    project: NewProject, pair: list[OwnEngine], ways: list[Door]
) -> None:
    """Round after round on the same stacks; back to the first engine where the second one dies, too."""
    hosts = [way.host for way in ways]
    shop = shop_of(project, hosts, "assert read() == b'hello\\n'")
    env = {"PATH": ways[0].env["PATH"]}

    def saved(name: str, rounds: int) -> str:
        """What is said of the round that a change to a service's tests starts."""
        with (shop.root / f"services/{name}/tests/integration/test_{name}.py").open("a") as tests:
            tests.write("# again\n")
        assert until(lambda: running.text.count("watching ") == rounds, 120), running.text
        return running.text.rpartition("changed: ")[2]

    try:
        with shop.during("tasklib", "test.service", "--watch", env=env) as running:
            assert until(lambda: running.text.count("watching ") == 1, 120), running.text
            before = [[row["Id"] for row in engine.containers()] for engine in pair]
            assert [len(ids) for ids in before] == [1, 1]
            assert "1 passed" in saved("api", 2)
            assert [[row["Id"] for row in engine.containers()] for engine in pair] == before

            names = ["api", "web"] if "api" in pair[1].containers()[0]["Names"][0] else ["web", "api"]
            pair[1].die()
            moved = saved(names[0], 3)
            assert f"moves to {hosts[0]}: {hosts[1]} stopped answering" in moved
            assert "1 passed" in moved

            pair[1].start()
            pair[0].die()
            back = saved(names[0], 4)
            assert f"moves to {hosts[1]}: {hosts[0]} stopped answering" in back
            assert "1 passed" in back
            pair[0].start()
            running.process.send_signal(signal.SIGINT)
            ran = running.wait()
    finally:
        for engine in pair:
            if not engine.running:
                engine.start()
    assert ran.code == 130, ran
    assert "Traceback" not in ran.text

"""An engine that dies, hangs or is full: a clear error in bounded time, and the next run works."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ..conftest import NewProject
from ..projects import Checkout
from ..traces import Traces, processes_of, until
from .engines import OwnEngine, own_engine, short_folder, why_not
from .support import FILES, Run, marks_of, scenes
from .test_clean import BUILT, PLAIN

SCENES = scenes()
BOUND = 75.0
"""Seconds within which a run notices that its engine hangs, tells so and ends."""

needs_second_engine = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def second(engine: Any) -> Iterator[OwnEngine]:
    """A second engine that knows the image of the small services; each test leaves it as it was."""
    with own_engine(short_folder()) as own:
        own.load(PLAIN)
        yield own


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def start(own: OwnEngine, checkout: Checkout, *argv: str) -> Run:
    return Run(checkout, *own.within(*argv), env={"DOCKER_HOST": own.host})


def runs_in_every_phase(own: OwnEngine, project: NewProject, state: Path) -> dict[str, Run]:
    """A run that builds, one that waits for its stack, one that tests."""
    runs = {}
    for phase in ("build", "wait", "tests"):
        checkout = project({**FILES, **SCENES[phase].files}, branch=f"{phase}-{{token}}", name=phase)
        runs[phase] = start(own, checkout, "tasklib", "test.service")

    def reached() -> bool:
        names = " ".join(own.left())
        building = any("compose" in line and " build" in line for line in processes_of(state))
        return building and "test-wait" in names and (runs["tests"].marks / "testing").exists()

    assert until(reached, 60), {phase: run.text for phase, run in runs.items()}
    (runs["tests"].marks / "end").write_text("0")
    return runs


@needs_second_engine
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_an_engine_that_dies_or_hangs(
    second: OwnEngine, project: NewProject, state: Path, number: signal.Signals
) -> None:
    """Whatever a run was waiting for, it ends with code 3 and says why; all goes once the engine is back."""
    runs = runs_in_every_phase(second, project, state)
    began = time.monotonic()
    second.send(number)
    for phase, run in runs.items():
        assert run.wait() == 3, f"{phase}: {run.text}"
        assert "the Docker engine" in run.text, run.text
        assert "Traceback" not in run.text
    assert time.monotonic() - began < BOUND

    if number == signal.SIGKILL:
        second.start()
    else:
        second.send(signal.SIGCONT)
    assert until(lambda: not second.left() and not processes_of(state), 30), second.left()

    again = project({**FILES, "services/api/tests.sh": "exit 0\n"}, branch="again-{token}", name="again")
    run = start(second, again, "tasklib", "test.service")
    assert run.wait() == 0, run.text
    assert not second.left()


@needs_second_engine
def test_an_engine_that_dies_while_stacks_go_down(
    second: OwnEngine, project: NewProject, state: Path
) -> None:
    """Code 3 and the reason in a line; once it is back, the next run removes what was left.

    Removing takes as long as the engine's containerd stands still.
    """
    tests = f"kill -STOP {second.containerd}\necho tested\n"
    shop = project({**FILES, "services/api/tests.sh": tests}, branch="down-{token}", name="down")
    run = start(second, shop, "tasklib", "test.service")
    assert until(lambda: "1 passed" in run.text, 60), run.text
    second.send(signal.SIGKILL)
    assert run.wait() == 3, run.text
    assert [line for line in run.text.splitlines() if "the Docker engine" in line], run.text
    assert "Traceback" not in run.text

    second.start()
    shop.write({"services/api/tests.sh": "exit 0\n"})
    again = start(second, shop, "tasklib", "test.service")
    assert again.wait() == 0, again.text
    assert until(lambda: not second.left() and not processes_of(state), 30), second.left()


@needs_second_engine
def test_the_engine_of_a_context(
    second: OwnEngine, project: NewProject, tmp_path: Path, traces: Traces
) -> None:
    """Builds, containers and their removal are on the engine that DOCKER_CONTEXT names, without settings."""
    shop = project({**FILES, "services/api/deploy/test/docker-compose.yml": BUILT})
    shop.write({"services/api/Dockerfile": "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\n"})
    # The folder of Docker's settings holds contexts and no config.json.
    env = {"DOCKER_CONFIG": str(tmp_path / "docker"), "DOCKER_CONTEXT": "second"}
    create = ("docker", "context", "create", "second", "--docker", f"host={second.host}")
    made = shop.run(*create, env={**env, "DOCKER_CONTEXT": "default"})
    assert (made.code, (tmp_path / "docker" / "config.json").exists()) == (0, False), made

    up = shop.run(*second.within("tasklib", "infra.up", "--name", "api"), env=env)
    assert (up.code, len(second.left()), traces.left()) == (0, 2, []), up
    down = shop.run(*second.within("tasklib", "clean"), env=env)
    assert (down.code, second.left()) == (0, []), down


@needs_second_engine
def test_a_full_disk(tmp_path: Path, project: NewProject, engine: Any, state: Path) -> None:
    """Neither a build nor a start that finds no room leaves anything, and both say what is wrong."""
    with ExitStack() as stack:
        root = short_folder()
        image = tmp_path / "disk"
        with image.open("wb") as file:
            file.truncate(600_000_000)
        made = subprocess.run(["mkfs.ext4", "-q", str(image)], check=False)
        mount = ["mount", "-o", "loop", str(image), str(_folder(root / "data"))]
        if made.returncode or subprocess.run(mount, check=False).returncode:
            pytest.skip("no small disk can be made here")
        own = stack.enter_context(own_engine(root))
        own.load(PLAIN)
        shop = project({**FILES, "services/api/deploy/test/docker-compose.yml": BUILT})
        shop.write({"services/api/Dockerfile": _large_image()})
        run = start(own, shop, "tasklib", "test.service")
        assert run.wait() == 4, run.text
        assert "o space left on device" in run.text
        assert len(run.text.splitlines()) < 30
        assert not own.left()

        shop.write({"services/api/Dockerfile": "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\n"})
        (marks_of(shop) / "end").write_text("0")
        run = start(own, shop, "tasklib", "test.service")
        assert run.wait() == 0, run.text
        assert not own.left()


def _large_image() -> str:
    return "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\nRUN head -c 900000000 /dev/zero > /large\n"


@pytest.mark.parametrize(
    ("verb", "number"),
    [("build", signal.SIGKILL), ("create", signal.SIGKILL), ("create", signal.SIGTERM)],
)
def test_compose_is_ended_by_someone_else(
    shop: Checkout, traces: Traces, state: Path, verb: str, number: signal.Signals
) -> None:
    """A `docker compose` that is killed, or a build that is cancelled, is an error of code 4, not a hang."""
    scene = SCENES[verb]
    shop.write(scene.files)
    if verb == "create":
        shop.write({"bin/docker": SLOW_CREATE})
    run = Run(shop, "tasklib", "test.service")
    run.until(lambda: bool(compose_processes(state, verb)))
    for pid in compose_processes(state, verb):
        os.kill(pid, number)
    assert run.wait() == 4, run.text
    assert f"`docker compose {verb}` was ended by signal {number.name}" in run.text
    assert "Traceback" not in run.text
    assert not traces.left()
    assert until(lambda: not processes_of(state), 10)


SLOW_CREATE = """
    #!/bin/sh
    case " $* " in *" create "*) exec sleep 600 ;; esac
    PATH="${PATH#*:}"
    exec docker "$@"
"""


def compose_processes(state: Path, verb: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"XDG_STATE_HOME={state}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if verb.encode() in words or b"sleep" in words:
                    found.append(int(folder.name))
        except OSError:
            continue
    return found

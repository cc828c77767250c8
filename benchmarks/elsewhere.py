"""Engines elsewhere: what ssh costs, and what a second engine brings.

The door to each is an sshd of the benchmark's own. Needs root, OpenSSH's server, and for the first figure an
engine at the usual socket.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compare import Side, alternate, example_copy
from benchmarks.confined import confined
from benchmarks.figures import Figure
from tasklib.stacks.address import USUAL_SOCKET
from tests.integration.cleanup.engines import OwnEngine, own_engine, short_folder
from tests.integration.engines.door import Door, door, doors, why_not

__all__ = ["measure"]

_STACKS = 16

_SERVER = """
import hashlib
from http.server import BaseHTTPRequestHandler, HTTPServer


class Work(BaseHTTPRequestHandler):
    def do_GET(self):
        key = hashlib.pbkdf2_hmac("sha256", b"work", b"salt", 4_000_000).hex().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(key)))
        self.end_headers()
        self.wfile.write(key)


HTTPServer(("", 8000), Work).serve_forever()
"""
"""What the engine's processors are busy with: about two seconds of one for each question."""

_COMPOSE = """
services:
  web:
    image: ${PYTHON_IMAGE:-python:3.12-slim}
    command: python -u /server.py
    ports: ["8000"]
    volumes: ["./server.py:/server.py:ro"]
"""

_CHECK = """
import os, urllib.request

assert len(urllib.request.urlopen(os.environ["TEST_WEB_URL"], timeout=300).read()) == 64
"""


def measure(rounds: int | None = None) -> list[Figure]:
    """What a run over ssh takes of a local one's time, and work on one engine of that on two."""
    if reason := why_not():
        raise SystemExit(reason)
    return [_over_ssh(rounds or 5), _two_engines(rounds or 3)]


@dataclass(frozen=True)
class _Usual:
    """The machine's own engine, which has the machine's network."""

    host: str = f"unix://{USUAL_SOCKET}"

    def within(self, *argv: str) -> list[str]:
        return list(argv)


def _over_ssh(rounds: int) -> Figure:
    """The same engine on both sides."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="tasklib-benchmark-")))
        way = held.enter_context(door(_Usual(), folder / "door"))
        project = held.enter_context(example_copy())
        words = ["tasklib", "test"]
        far = Side("over ssh", words, project, {"PATH": _path(way), "DOCKER_HOST": way.host})
        here = Side("locally", words, project, {"PATH": _path(), "DOCKER_HOST": _Usual.host})
        try:
            ratio = alternate(far, here, rounds)
        finally:
            for side in (far, here):
                clean = ["tasklib", "clean", "--force"]
                env = {**os.environ, **(side.env or {})}
                subprocess.run(clean, cwd=project, env=env, check=False, capture_output=True)
    return Figure("example-project on an engine over ssh", "the same engine locally", 1 / ratio)


def _two_engines(rounds: int) -> Figure:
    cores = sorted(os.sched_getaffinity(0))
    each = min(2, len(cores) // 2)
    if not each:
        raise SystemExit("two engines apart need two processors")
    print(
        f"   each engine has {each} of {len(cores)} processors; tests and tasklib itself have all", flush=True
    )
    with ExitStack() as held:
        engines = []
        for number in range(2):
            own = cores[number * each : (number + 1) * each]
            parent = held.enter_context(confined(own))
            engines.append(held.enter_context(_engine(parent.options)))
            parent.add(engines[-1])
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="tasklib-benchmark-")))
        ways = held.enter_context(doors(engines, folder / "door"))
        env = {"PATH": _path(ways[0])}
        hosts = [way.host for way in ways]
        one, two = (
            Side(name, ["tasklib", "test.service"], _shop(folder / name.replace(" ", "-"), chosen), env)
            for name, chosen in (("one engine", hosts[:1]), ("two engines", hosts))
        )
        ratio = alternate(two, one, rounds)
    return Figure(f"{_STACKS} service stacks on two engines", "on one of the two", 1 / ratio)


@contextmanager
def _engine(options: Sequence[str] = ()) -> Iterator[OwnEngine]:
    """An engine that has the image of the services with work."""
    with own_engine(short_folder(), options) as engine:
        engine.load(os.environ.get("PYTHON_IMAGE", "python:3.12-slim"))
        yield engine


def _shop(project: Path, engines: Sequence[str]) -> Path:
    """A project of services that each have work for their engine."""
    listed = ", ".join(f'"{engine}"' for engine in engines)
    settings = [f"[tool.tasklib]\nengines = [{listed}]\n"]
    for number in range(_STACKS):
        name = f"work-{number:02}"
        stack = project / "services" / name / "deploy" / "test"
        stack.mkdir(parents=True)
        (stack / "docker-compose.yml").write_text(_COMPOSE)
        (stack / "server.py").write_text(_SERVER)
        tests = stack.parents[1] / "tests" / "integration"
        tests.mkdir(parents=True)
        (tests / "check.py").write_text(_CHECK)
        settings.append(
            f'[tool.tasklib.services.{name}]\ncommand = ["{sys.executable}", "tests/integration/check.py"]\n'
        )
    (project / "pyproject.toml").write_text("\n".join(settings))
    subprocess.run(["git", "init", "-q", "-b", project.name, str(project)], check=True)
    return project


def _path(way: Door | None = None) -> str:
    """With our own programs first, and before them the ``ssh`` that opens a door."""
    path = way.env["PATH"] if way else os.environ["PATH"]
    return os.pathsep.join([str(Path(sys.executable).parent), path])

"""Runs that can be caught in each of their phases, ended in every way, and looked at afterwards."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker.errors
import pexpect

from ..projects import PATIENCE, PYTHON, Checkout, compose
from ..traces import Traces, processes_of, until

__all__ = [
    "FILES",
    "SERVED",
    "STARTED",
    "ByHand",
    "Run",
    "Scene",
    "exists",
    "gone_within",
    "in_terminal",
    "kill_with_reaper",
    "marks_of",
    "scenes",
]

ByHand = Callable[..., str]
"""Starts a container of an image, under a name and with labels; returns its id."""

LIMIT = 90.0 if os.environ.get("CI") else 30.0
"""Seconds within which everything of a run that ended has to be gone; the machine may be loaded."""

SERVED = f"""
    image: {PYTHON}
    command: python -u -m http.server 8000
    ports: ["8000"]
"""

FILES: Mapping[str, str] = {
    "pyproject.toml": """
        [tool.tasklib.services.api]
        command = ["sh", "tests.sh"]
    """,
    # Says that it runs, then goes on until it is told what to end with.
    "services/api/tests.sh": """
        echo $$ > "$MARKS/testing"
        while [ ! -e "$MARKS/end" ]; do sleep 0.1; done
        exit $(cat "$MARKS/end")
    """,
    "services/api/tests/integration/README": "tests.sh does it\n",
    "services/api/deploy/test/docker-compose.yml": compose(api=SERVED),
    "noxfile.py": "from tasklib.sessions import register\nregister()\n",
    "tasks.py": "from tasklib.tasks import namespace as ns\n",
}

SLOW_DOCKER = """
    #!/bin/sh
    case " $* " in
    *" $SLOW_VERB "*) echo $$ > "$MARKS/slow"; sleep 600 ;;
    esac
    PATH="${PATH#*:}"
    exec docker "$@"
"""
"""A `docker` that hangs at one verb of Compose."""

BUILT = compose(
    api="""
    build: {context: ../.., args: {PYTHON_IMAGE: "${PYTHON_IMAGE:-python:3.12-slim}"}}
    ports: ["8000"]
"""
)
ENDLESS_BUILD = "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\nARG WHEN\nRUN sleep 600\n"
NEVER_READY = compose(
    api=SERVED + "    healthcheck: {test: ['CMD', 'false'], interval: 1s, retries: 600}\n",
    web=SERVED + "    depends_on: {api: {condition: service_healthy}}\n",
)


@dataclass(frozen=True)
class Scene:
    """A phase of a run: what to change in the project to stay in it, and how to see that it is reached."""

    reached: Callable[[Traces, Path, Path], bool]
    files: Mapping[str, str]
    env: Mapping[str, str]


def scenes() -> dict[str, Scene]:
    """The phases of a run, by name; ``reached`` gets the traces, the marks' folder and the state folder."""

    def running(verb: str) -> Callable[[Traces, Path, Path], bool]:
        return lambda traces, marks, state: any(
            re.search(rf"docker.*compose .* {verb}\b", line) for line in processes_of(state)
        )

    stack = "services/api/deploy/test/docker-compose.yml"
    slow = {"bin/docker": SLOW_DOCKER}
    return {
        "render": Scene(lambda t, marks, s: (marks / "slow").exists(), slow, {"SLOW_VERB": "config"}),
        "build": Scene(running("build"), {stack: BUILT, "services/api/Dockerfile": ENDLESS_BUILD}, {}),
        "create": Scene(lambda traces, m, s: bool(traces.networks()), {}, {}),
        "wait": Scene(lambda traces, m, s: "running" in traces.states(), {stack: NEVER_READY}, {}),
        "tests": Scene(lambda t, marks, s: (marks / "testing").exists(), {}, {}),
    }


STARTED: list[Run] = []
"""Every command of the test that runs now."""


class Run:
    """A command in a session of its own, as a terminal or a CI system would start it."""

    def __init__(self, checkout: Checkout, *argv: str, env: Mapping[str, str] | None = None) -> None:
        self.marks = marks_of(checkout)
        STARTED.append(self)
        self._file = self.marks / "output"
        with self._file.open("ab") as output:
            self.process = subprocess.Popen(
                argv,
                cwd=checkout.root,
                env=environment(checkout, env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self._file.read_text(errors="replace")

    def send(self, number: signal.Signals, *, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.process.pid, number)

    def wait(self) -> int:
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            raise AssertionError(f"it hangs:\n{self.text}") from None

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for ``condition``, which has to come before the command's end."""
        assert until(lambda: condition() or self.process.poll() is not None, 180), self.text
        assert condition(), self.text


def marks_of(checkout: Checkout) -> Path:
    folder = checkout.root.with_name(f"{checkout.root.name}.marks")
    folder.mkdir(exist_ok=True)
    return folder


def environment(checkout: Checkout, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the command gets; a ``docker`` in the checkout's own ``bin`` comes before the real one."""
    own = checkout.root / "bin"
    temporary = checkout.root.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    own_env = {"MARKS": str(marks_of(checkout)), "TMPDIR": str(temporary)}
    merged = {**checkout.env, **own_env, **(env or {})}
    if own.is_dir():
        (own / "docker").chmod(0o755)
        merged["PATH"] = f"{own}{os.pathsep}{merged['PATH']}"
    return merged


def in_terminal(
    checkout: Checkout, argv: Sequence[str], env: Mapping[str, str] | None = None
) -> pexpect.spawn[str]:
    """The command on a terminal of its own, whose session it leads."""
    return pexpect.spawn(
        argv[0],
        list(argv[1:]),
        cwd=str(checkout.root),
        env={**environment(checkout, env), "TERM": "xterm"},
        encoding="utf-8",
        codec_errors="replace",
        dimensions=(40, 120),
        timeout=PATIENCE,
    )


def gone_within(traces: Traces, state: Path, seconds: float = LIMIT, *, scratch: bool = True) -> list[str]:
    """What is still on the engine, running or (``scratch``) in the temporary folder ``seconds`` from now.

    Comes back as soon as nothing is.
    """

    def left() -> list[str]:
        folders = (state.parent / "tmp").glob("*") if scratch else ()
        return traces.left() + processes_of(state) + [f"folder {path}" for path in folders]

    began = time.monotonic()
    # Processes first: as long as one is there, the engine has enough to do without our questions.
    until(lambda: not processes_of(state), seconds)
    found = left()
    while found and time.monotonic() - began < seconds:
        time.sleep(0.2)
        found = left()
    return found


def kill_with_reaper(run: Run, state: Path) -> None:
    """What a lost machine does to a run: everything of it is gone at once, its reaper included."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            mine = f"XDG_STATE_HOME={state}".encode() in (folder / "environ").read_bytes().split(b"\0")
            if mine and b"tasklib.stacks.reaper.process" in (folder / "cmdline").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
    run.send(signal.SIGKILL, group=True)
    run.wait()
    tests = run.marks / "testing"
    if tests.exists():
        os.killpg(int(tests.read_text()), signal.SIGKILL)
        tests.unlink()


def exists(engine: Any, container: str) -> bool:
    """Whether the container is there and runs."""
    try:
        return bool(engine.inspect_container(container)["State"]["Running"])
    except docker.errors.NotFound:
        return False

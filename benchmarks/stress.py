"""``python -m benchmarks.stress --worktrees 8 --rounds 10``: runs side by side, killed at random moments.

Every worktree starts its tests again and again; most runs are ended somewhere by a signal to the process or
to its whole group, some together with their reaper, as a lost machine would do it. Every test run writes its
folder into its databases and looks whether anybody else's is there. Afterwards each worktree has to pass once
more, and nothing may be left: no container, network, volume, process, lock or record. Exit code 1 otherwise.

``--users 2``: clones instead, all on one branch and each with a state folder of its own, as two users of one
engine have them. They start at the same moment in every round, nobody is ended, and all have to pass.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import docker

from dev.chosen import chosen_images

__all__ = ["Outcome", "stress"]

SERVICES = ("api", "web")
LONGEST = 6.0
"""Seconds into a run at which it is ended at the latest."""

HANGS = 600.0
"""Seconds after which a command counts as hanging."""

SETTLED = 30.0
"""Seconds after the last run within which everything has to be gone."""

STACK = """
services:
  cache:
    image: "${REDIS_IMAGE:-redis:7}"
    ports: ["6379"]
    volumes: ["data:/data"]
volumes:
  data:
"""

CHECK = """
import os, socket, sys, time
from urllib.parse import urlsplit

def ask(command):
    address = urlsplit(os.environ["TEST_CACHE_URL"])
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(command.encode() + b"\\r\\n")
        return connection.recv(4096).decode()

me = os.getcwd().encode().hex()
try:
    assert ask("GET owner") == "$-1\\r\\n", "data of an earlier or another run"
    ask(f"SET owner {me}")
    for _ in range(10):
        time.sleep(0.1)
        assert me in ask("GET owner"), "another run's data"
except AssertionError as error:
    with open(os.environ["STRESS_CROSS_TALK"], "a") as file:
        file.write(f"{os.getcwd()}: {error}\\n")
    raise
"""


@dataclass
class Outcome:
    """What happened: runs by how they were ended, and everything that must not be."""

    worktrees: int = 0
    rounds: int = 0
    users: int = 0
    seed: int = 0
    seconds: float = 0.0
    runs: int = 0
    passed: int = 0
    ended_by: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    """Runs that nobody ended and that did not pass."""
    cross_talk: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.failed or self.cross_talk or self.left)


@dataclass(frozen=True)
class Place:
    """A checkout in which runs are started, and the state folder of whoever starts them."""

    folder: Path
    state: Path


@dataclass(frozen=True)
class End:
    """How a run is ended: by which signal, whether its group and its reaper get it too."""

    name: str
    number: signal.Signals
    group: bool = False
    reaper: bool = False


ENDS = (
    End("TERM", signal.SIGTERM),
    End("INT", signal.SIGINT),
    End("INT to the group", signal.SIGINT, group=True),
    End("KILL", signal.SIGKILL),
    End("KILL to the group", signal.SIGKILL, group=True),
    End("KILL to the group and the reaper", signal.SIGKILL, group=True, reaper=True),
)
QUIET = 0.25
"""The share of runs that nobody ends."""


class _Stress:
    """One repository, its worktrees or clones, and what is done to them."""

    def __init__(self, folder: Path, worktrees: int, rounds: int, seed: int, users: int = 0) -> None:
        self.outcome = Outcome(0 if users else worktrees, rounds, users, seed)
        self._folder = folder
        self._token = secrets.token_hex(3)
        self._places: list[Place] = []
        self._cross_talk = folder / "cross-talk"
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._ended: Counter[str] = Counter()
        self._env = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("TASKLIB_", "TEST_"))
            },
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "STRESS_CROSS_TALK": str(self._cross_talk),
        }

    def run(self, say: Callable[[str], None]) -> Outcome:
        began = time.monotonic()
        outcome = self.outcome
        self._places = self._clones() if outcome.users else self._worktrees()
        start = self._pass if outcome.users else self._round
        with ThreadPoolExecutor(len(self._places)) as pool:
            for round_number in range(outcome.rounds):
                list(pool.map(start, self._places))
                say(f"round {round_number + 1} of {outcome.rounds}: {outcome.runs} runs")
            say("everybody once more")
            list(pool.map(self._pass, self._places))
        # A record of a killed run goes once a later command found nothing of it any more.
        for place in self._places * 2:
            env = self._env_of(place)
            subprocess.run(["tasklib", "infra.status"], cwd=place.folder, env=env, capture_output=True)
        deadline = time.monotonic() + SETTLED
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.2)
        outcome.left = left
        outcome.ended_by = dict(sorted(self._ended.items()))
        if self._cross_talk.exists():
            outcome.cross_talk = self._cross_talk.read_text().splitlines()
        outcome.seconds = round(time.monotonic() - began, 1)
        return outcome

    def _repository(self) -> tuple[Path, list[str]]:
        """A repository with one commit, and how git is called in it."""
        root = self._folder / "repository"
        files = {
            "pyproject.toml": "".join(
                f'[tool.tasklib.services.{name}]\ncommand = ["{sys.executable}", "check.py"]\n'
                for name in SERVICES
            )
        }
        for name in SERVICES:
            files[f"services/{name}/deploy/test/docker-compose.yml"] = STACK
            files[f"services/{name}/check.py"] = CHECK
            files[f"services/{name}/tests/integration/README"] = "check.py does it\n"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
        self._command([*git, "init", "-q", "-b", f"s-{self._token}"])
        self._command([*git, "add", "--all"])
        self._command([*git, "commit", "-q", "-m", "stress"])
        return root, git

    def _worktrees(self) -> list[Place]:
        _, git = self._repository()
        found = [self._folder / f"w{number}" for number in range(self.outcome.worktrees)]
        for number, worktree in enumerate(found):
            self._command([*git, "worktree", "add", "-q", "-b", f"s/{number}/{self._token}", str(worktree)])
        return [Place(worktree, self._folder / "state") for worktree in found]

    def _clones(self) -> list[Place]:
        root, _ = self._repository()
        users = [self._folder / f"user{number}" for number in range(self.outcome.users)]
        for user in users:
            self._command(["git", "clone", "-q", str(root), str(user / "clone")])
        return [Place(user / "clone", user / "state") for user in users]

    def _env_of(self, place: Place) -> dict[str, str]:
        return {**self._env, "XDG_STATE_HOME": str(place.state)}

    def _command(self, argv: Sequence[str]) -> None:
        subprocess.run(argv, check=True, capture_output=True, env=self._env)

    def _round(self, place: Place) -> None:
        with self._lock:
            quiet = self._random.random() < QUIET
            end, moment = self._random.choice(ENDS), self._random.uniform(0.0, LONGEST)
        if quiet:
            self._pass(place)
        else:
            self._end(place, end, moment)

    def _start(self, place: Place, output: Any) -> subprocess.Popen[bytes]:
        with self._lock:
            self.outcome.runs += 1
        return subprocess.Popen(
            ["tasklib", "test.service", "--format", "plain"],
            cwd=place.folder,
            env=self._env_of(place),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def _pass(self, place: Place) -> None:
        """A run that nobody ends; it may have to wait for, or clean up after, the one before."""
        with tempfile.TemporaryFile() as output:
            run = self._start(place, output)
            try:
                code = run.wait(HANGS)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait()
                code = None
            output.seek(0)
            said = output.read().decode(errors="replace")
        with self._lock:
            if code == 0:
                self.outcome.passed += 1
            else:
                how = "hangs" if code is None else code
                self.outcome.failed.append(f"{self._name(place)}: {how}: {said}")

    def _name(self, place: Place) -> str:
        return str(place.folder.relative_to(self._folder))

    def _end(self, place: Place, end: End, moment: float) -> None:
        run = self._start(place, subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(moment)
        with self._lock:
            self._ended["too late" if run.poll() is not None else end.name] += 1
        if run.poll() is not None:
            return
        if end.reaper:
            self._kill_reapers_of(run.pid)
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if end.group else os.kill)(run.pid, end.number)
        try:
            run.wait(HANGS)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            with self._lock:
                self.outcome.failed.append(f"{self._name(place)}: hangs after {end.name}")

    def _kill_reapers_of(self, pid: int) -> None:
        for child in _children(pid):
            with contextlib.suppress(OSError):
                if b"tasklib.stacks.reaper.process" in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(child, signal.SIGKILL)

    def _left(self) -> list[str]:
        """What is there of any worktree: on the engine, among the processes, in the state folder."""
        client = docker.from_env(timeout=60)
        try:
            api = client.api
            rows: list[tuple[str, str, Mapping[str, Any]]] = [
                *(("container", row["Names"][0], row) for row in api.containers(all=True)),
                *(("network", row["Name"], row) for row in api.networks()),
                *(("volume", row["Name"], row) for row in api.volumes().get("Volumes") or ()),
            ]
        finally:
            client.close()
        left = [f"{kind} {name}" for kind, name, row in rows if self._token in json.dumps(row)]
        for state in {place.state for place in self._places}:
            left += [f"process {pid}: {line}" for pid, line in _processes(f"XDG_STATE_HOME={state}")]
            for records in ("runs/*/*.json", "kept/*/*.json", "locks/stack~*"):
                left += [str(path) for path in state.glob(f"tasklib/{records}")]
        return left


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(folder.name))
    return found


def _processes(variable: str) -> list[tuple[int, str]]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append((int(folder.name), line.strip()))
    return [(pid, line) for pid, line in found if line]


def stress(
    worktrees: int,
    rounds: int,
    seed: int,
    say: Callable[[str], None] = lambda text: None,
    *,
    users: int = 0,
) -> Outcome:
    """Do it, in a temporary folder with state folders of its own."""
    with tempfile.TemporaryDirectory(prefix="stress-") as folder:
        return _Stress(Path(folder).resolve(), worktrees, rounds, seed, users).run(say)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.stress",
        description=textwrap.dedent(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--worktrees", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--users", type=int, default=0, help="clones of so many users, instead of worktrees")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeats the same choices")
    parser.add_argument("--json", action="store_true", help="the outcome as JSON on standard output")
    options = parser.parse_args()
    os.environ.update(chosen_images(os.environ))
    outcome = stress(
        options.worktrees,
        options.rounds,
        options.seed,
        lambda text: print(text, file=sys.stderr, flush=True),
        users=options.users,
    )
    if options.json:
        print(json.dumps(asdict(outcome), indent=2))
    else:
        print(_table(outcome))
    sys.exit(0 if outcome.ok else 1)


def _table(outcome: Outcome) -> str:
    ended = sum(number for name, number in outcome.ended_by.items() if name != "too late")
    who = f"{outcome.users} users" if outcome.users else f"{outcome.worktrees} worktrees"
    rows = [
        f"{who} x {outcome.rounds} rounds in {outcome.seconds:.0f} s",
        f"seed {outcome.seed}",
        f"{outcome.runs} runs: {ended} ended by a signal, {outcome.passed} left alone and passed",
        *(f"  {name}: {number}" for name, number in outcome.ended_by.items()),
        f"left alone and not passed: {len(outcome.failed)}",
        f"cross-talk: {len(outcome.cross_talk)}",
        f"left over: {len(outcome.left)}",
        *outcome.failed,
        *outcome.cross_talk,
        *outcome.left,
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    main()

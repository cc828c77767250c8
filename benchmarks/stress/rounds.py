"""Runs side by side, round after round, ended at random moments."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stress.leftovers import children, leftovers
from benchmarks.stress.outcome import Outcome
from benchmarks.stress.places import Place, clones, worktrees

__all__ = ["stress"]

LONGEST = 6.0
"""Seconds into a run at which it is ended at the latest."""

HANGS = 600.0
"""Seconds after which a command counts as hanging."""

SETTLED = 30.0
"""Seconds after the last run within which everything has to be gone."""


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
        if outcome.users:
            self._places = clones(self._folder, outcome.users, self._token, self._env)
        else:
            self._places = worktrees(self._folder, outcome.worktrees, self._token, self._env)
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
        states = [place.state for place in self._places]
        while (left := leftovers(self._token, states)) and time.monotonic() < deadline:
            time.sleep(0.2)
        outcome.left = left
        outcome.ended_by = dict(sorted(self._ended.items()))
        if self._cross_talk.exists():
            outcome.cross_talk = self._cross_talk.read_text().splitlines()
        outcome.seconds = round(time.monotonic() - began, 1)
        return outcome

    def _env_of(self, place: Place) -> dict[str, str]:
        return {**self._env, "XDG_STATE_HOME": str(place.state)}

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
        for child in children(pid):
            with contextlib.suppress(OSError):
                if b"tasklib.stacks.reaper.process" in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(child, signal.SIGKILL)


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

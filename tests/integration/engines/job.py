"""A job's container, as a CI runner starts it: with the engine's socket, on a network of its own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..projects import OFFICIAL, Checkout, Ran, command_environment

__all__ = ["BASE", "Job", "job"]

REPOSITORY = Path(__file__).resolve().parents[3]
BASE = "tasklib-standin/base"
_PLACES = ("/etc/pip.conf", "/etc/ssl", "/opt", "/usr", "/root/.npmrc", "/root/.config/pip")
"""Where the machine's programs, and what they need to find packages, are: the job has the same."""

_KEPT = ("PATH", "TASKLIB_BAKE", "TERM", "XDG_STATE_HOME", *OFFICIAL)
_SETTINGS = ("PIP_", "UV_", "NPM_", "NODE_", "SSL_", "REQUESTS_", "CURL_")


class Job:
    """A container that runs, its checkout in ``folder``."""

    def __init__(self, name: str, folder: str, env: Mapping[str, str]) -> None:
        self.name = name
        self.folder = folder
        self._env = env

    def run(self, *argv: str, env: Mapping[str, str] | None = None, cwd: str = "") -> Ran:
        """Run a command in the checkout, to its end."""
        command = self.command(*argv, env=env, cwd=cwd)
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        return Ran(argv, done.returncode, done.stdout, done.stderr)

    def command(self, *argv: str, env: Mapping[str, str] | None = None, cwd: str = "") -> list[str]:
        """What runs a command in the checkout."""
        given = [word for k, v in {**self._env, **(env or {})}.items() for word in ("--env", f"{k}={v}")]
        return ["docker", "exec", *given, "--workdir", f"{self.folder}/{cwd}", self.name, *argv]

    def networks(self) -> set[str]:
        """The networks that the container is on now."""
        shown = _docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", self.name)
        return set(json.loads(shown))

    def kill(self, pattern: str) -> None:
        """Kill, as the kernel would, the processes of the job whose command line holds ``pattern``."""
        for row in _docker("top", self.name, "-eo", "pid,args").splitlines()[1:]:
            pid, _, line = row.strip().partition(" ")
            if pattern in line:
                os.kill(int(pid), signal.SIGKILL)


@contextmanager
def job(
    engine: Any,
    checkout: Checkout,
    *,
    mounted: bool = False,
    options: Sequence[str] = (),
    socket: bool = True,
) -> Iterator[Job]:
    """A job with ``checkout`` in /builds/shop: a copy, or ``mounted`` from where it is."""
    name = f"job-{secrets.token_hex(4)}"
    places = [sys.prefix, sys.base_prefix, str(REPOSITORY), *_PLACES]
    found = dict.fromkeys(os.path.realpath(place) for place in places if Path(place).exists())
    mounts = [f"{place}:{place}:ro" for place in found]
    if socket:
        mounts.append(f"{engine.get_adapter(engine.base_url).socket_path}:/var/run/docker.sock")
    if mounted:
        mounts.append(f"{checkout.root}:/builds/shop")
    volumes = [word for mount in mounts for word in ("--volume", mount)]
    _docker("run", "--detach", "--name", name, *volumes, *options, BASE, "sleep", "infinity")
    try:
        env = {k: v for k, v in command_environment(Path("/tmp/state")).items() if k.startswith(_KEPT)}
        env |= {k: v for k, v in os.environ.items() if k.startswith(_SETTINGS)}
        env |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        if not mounted:
            _docker("exec", name, "mkdir", "-p", "/builds")
            _docker("cp", str(checkout.root), f"{name}:/builds/shop")
        yield Job(name, "/builds/shop", env)
    finally:
        subprocess.run(["docker", "rm", "-fv", name], capture_output=True, check=False)


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

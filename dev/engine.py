"""Makes an engine answer: carries out the plan, one step at a time, looking again after each."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dev.commands import last_lines, run_logged, spawn, step, stop
from dev.consent import Consent
from dev.errors import NoEngine
from dev.facts import Engine, Host
from dev.packages import install
from dev.plan import Install, Start, describe, engine_steps
from dev.probe import dockerd, engine_answers, probe_engine
from dev.state import log_file

__all__ = ["ensure_engine"]

START_DEADLINE = 60.0
"""Seconds for a started daemon to answer; 2 are usual."""

_DAEMON_PID = Path("/var/run/docker.pid")
_RUNTIME_PID = Path("/var/run/docker/containerd/containerd.pid")
_RUNTIME_SOCKET = Path("/run/containerd/containerd.sock")


def ensure_engine(host: Host, consent: Consent) -> Engine:
    """The engine, answering, with Compose v2.

    Raises NoEngine when it cannot be had: nothing can be done, the user did not agree, or a step did not
    help.
    """
    engine = probe_engine()
    done: list[Install | Start] = []
    while steps := engine_steps(host, engine):
        if steps[0] in done:
            raise NoEngine(
                f"The Docker Engine is still not usable after this: {describe((steps[0],), host)}."
            )
        need = "`docker compose` is missing." if engine.version else "No Docker Engine answers."
        consent.ask(need, describe(steps, host))
        match steps[0]:
            case Install() as wanted:
                install(wanted, host)
            case Start(systemd):
                _start(systemd)
        done.append(steps[0])
        engine = probe_engine()
    return engine


def _start(systemd: bool) -> None:
    log = log_file("dockerd")
    with step("starting the Docker Engine"):
        if systemd:
            run_logged(["systemctl", "start", "docker"], log)
            _wait(log, lambda: True)
            return
        if _lives(_DAEMON_PID, "dockerd"):
            _wait(log, lambda: _lives(_DAEMON_PID, "dockerd"))
            return
        _clear_left_overs()
        process = spawn([dockerd() or "dockerd"], log, env=_daemon_environment())
        try:
            _wait(log, lambda: process.poll() is None)
        except BaseException:
            if process.poll() is None:
                stop(process)
            raise
        _disown(process)


def _daemon_environment() -> dict[str, str]:
    """The daemon needs the system folders for iptables and modprobe, and nothing meant for a client."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "COMPOSE_"))}
    env["PATH"] = os.pathsep.join([env.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    return env


def _disown(process: subprocess.Popen[bytes]) -> None:
    """The daemon outlives this process on purpose; tell Popen, which would warn of a child left behind."""
    process.returncode = 0


def _wait(log: Path, alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_DEADLINE
    pause = 0.1
    while not engine_answers():
        if not alive() or time.monotonic() > deadline:
            what = "did not answer in time" if alive() else "ended at once"
            end = "".join(f"\n  {line}" for line in last_lines(log))
            raise NoEngine(f"dockerd was started and {what}; the end of {log}:{end}")
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)


def _lives(pid_file: Path, program: str) -> bool:
    """Whether `pid_file` names a running `program`."""
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == program
    except (OSError, ValueError):
        return False


def _clear_left_overs() -> None:
    """Remove what a daemon that is gone left in /run: the next one refuses to start when a pid file names a
    process, be it another by now, and waits in vain at a containerd socket nobody listens on."""
    for pid_file, program in ((_DAEMON_PID, "dockerd"), (_RUNTIME_PID, "containerd")):
        if not _lives(pid_file, program):
            pid_file.unlink(missing_ok=True)
    if _RUNTIME_SOCKET.is_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(_RUNTIME_SOCKET))
            except ConnectionRefusedError:
                with suppress(OSError):
                    _RUNTIME_SOCKET.unlink()

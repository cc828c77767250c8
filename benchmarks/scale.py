"""Projects of 4, 16 and 32 services: time should grow with the work, not with the waits."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure

__all__ = ["measure"]

_SERVICES = (4, 16, 32)

_COMPOSE = """
services:
  cache:
    image: ${REDIS_IMAGE:-redis:7}
    ports: ["6379"]
    healthcheck: {test: ["CMD", "redis-cli", "ping"], interval: 5s, retries: 20}
"""

_TEST = """
import os
import socket


def test_the_cache_answers():
    address = os.environ["TEST_CACHE_HOST"], int(os.environ["TEST_CACHE_PORT"])
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(b"PING\\r\\n")
        assert connection.recv(16) == b"+PONG\\r\\n"
"""


def measure(rounds: int | None = None) -> list[Figure]:
    """Seconds and processor seconds of a service stage, for each service, against those of the smallest."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    found, smallest = [], 0.0
    for number in _SERVICES:
        with tempfile.TemporaryDirectory(prefix="tasklib-benchmark-") as folder:
            project = _project(Path(folder) / "services", number)
            try:
                _run(project, env)
                spent, busy = min(_run(project, env) for _ in range(rounds or 2))
            finally:
                subprocess.run(["tasklib", "clean", "--force"], cwd=project, env=env, capture_output=True)
        each = spent / number
        smallest = smallest or each
        print(
            f"   {number} services: {spent:.1f} s, {busy:.1f} processor seconds;"
            f" {each:.2f} s and {busy / number:.2f} processor seconds a service",
            flush=True,
        )
        found.append(Figure(f"{number} services, a service", f"one of {_SERVICES[0]}", smallest / each))
    return found


def _run(project: Path, env: dict[str, str]) -> tuple[float, float]:
    """Seconds, and the processor seconds of the whole machine meanwhile: the engine's work is work, too."""
    began, busy = time.perf_counter(), _busy()
    subprocess.run(["tasklib", "test.service"], cwd=project, env=env, check=True, capture_output=True)
    return time.perf_counter() - began, _busy() - busy


def _busy() -> float:
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    user, nice, system = (int(field) for field in fields[:3])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _project(folder: Path, services: int) -> Path:
    for number in range(services):
        service = folder / "services" / f"s{number}"
        (service / "tests" / "integration").mkdir(parents=True)
        (service / "deploy" / "test").mkdir(parents=True)
        (service / "tests" / "integration" / "test_cache.py").write_text(_TEST, encoding="utf-8")
        (service / "deploy" / "test" / "docker-compose.yml").write_text(_COMPOSE, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "services"\nversion = "1"\nrequires-python = ">=3.11"\n'
        '[dependency-groups]\ndev = ["pytest"]\n',
        encoding="utf-8",
    )
    subprocess.run(["git", "init", "-q", "-b", "benchmark-scale", str(folder)], check=True)
    return folder

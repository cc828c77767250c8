"""The checkouts in which runs are started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Place", "clones", "worktrees"]

SERVICES = ("api", "web")

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


@dataclass(frozen=True)
class Place:
    """A checkout in which runs are started, and the state folder of whoever starts them."""

    folder: Path
    state: Path


def _repository(folder: Path, token: str, env: Mapping[str, str]) -> tuple[Path, list[str]]:
    """A repository with one commit, and how git is called in it."""
    root = folder / "repository"
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
    subprocess.run([*git, "init", "-q", "-b", f"s-{token}"], check=True, capture_output=True, env=env)
    subprocess.run([*git, "add", "--all"], check=True, capture_output=True, env=env)
    subprocess.run([*git, "commit", "-q", "-m", "stress"], check=True, capture_output=True, env=env)
    return root, git


def worktrees(folder: Path, number: int, token: str, env: Mapping[str, str]) -> list[Place]:
    """So many worktrees of one repository in ``folder``, of one user; ``token`` is in all their branches."""
    _, git = _repository(folder, token, env)
    found = [folder / f"w{index}" for index in range(number)]
    for index, worktree in enumerate(found):
        subprocess.run(
            [*git, "worktree", "add", "-q", "-b", f"s/{index}/{token}", str(worktree)],
            check=True,
            capture_output=True,
            env=env,
        )
    return [Place(worktree, folder / "state") for worktree in found]


def clones(folder: Path, number: int, token: str, env: Mapping[str, str]) -> list[Place]:
    """So many clones of one repository in ``folder``, each of a user of its own, all on one branch."""
    root, _ = _repository(folder, token, env)
    users = [folder / f"user{index}" for index in range(number)]
    for user in users:
        subprocess.run(
            ["git", "clone", "-q", str(root), str(user / "clone")], check=True, capture_output=True, env=env
        )
    return [Place(user / "clone", user / "state") for user in users]

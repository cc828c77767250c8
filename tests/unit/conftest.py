"""What every unit test may use: real git repositories, and a state folder of its own."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest.outcomes import Failed

from tasklib.shown.masking import forget

Git = Callable[..., str]

_ENGINE_PROGRAMS = frozenset({"docker", "docker-compose", "dockerd", "podman"})
_ENGINE_PORTS = frozenset({2375, 2376})
_touched: list[str] | None = None


class EngineTouched(Failed):
    """A unit test went for an engine. No ``except Exception`` stops it."""


def _watch(event: str, arguments: Sequence[Any]) -> None:
    """The interpreter's audit hook: it sees every connection and every child of this process."""
    if _touched is None:
        return
    what = ""
    if event == "socket.connect":
        what = _engine_address(arguments[1])
    elif event == "subprocess.Popen":
        what = _engine_command(arguments[1], arguments[3])
    if what:
        _touched.append(what)
        raise EngineTouched(f"unit tests touch no engine: {what}")


def _engine_address(address: object) -> str:
    path = os.fsdecode(address) if isinstance(address, (str, bytes)) else ""
    port = address[1] if isinstance(address, tuple) and len(address) > 1 else None
    return f"a connection to {address}" if path.endswith("docker.sock") or port in _ENGINE_PORTS else ""


def _engine_command(command: Any, env: object) -> str:
    words = [command] if isinstance(command, (str, bytes, os.PathLike)) else list(command or [""])
    program = os.fsdecode(words[0])
    if Path(program).name not in _ENGINE_PROGRAMS:
        return ""
    path = env.get("PATH") if isinstance(env, dict) else None
    found = shutil.which(program, path=path) or program
    # A stand-in that the test wrote itself is no engine.
    is_fake = Path(found).is_relative_to(tempfile.gettempdir())
    return "" if is_fake else f"`{' '.join(map(str, words[:4]))}`"


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def no_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail, by name, a test that touches an engine, even if what it called took the failure for another."""
    global _touched
    # For children, which the hook does not reach.
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/unit-tests-touch-no-engine.sock")
    _touched = []
    yield
    found, _touched = _touched, None
    if found:
        pytest.fail(f"{request.node.nodeid} touched an engine: {found[0]}", pytrace=False)


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """For folders: pytest's own numbering reads the names of all that are there, for each one more."""
    return itertools.count()


@pytest.fixture
def tmp_path(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, numbers: Iterator[int]
) -> Path:
    """An empty folder, called like the test."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{name}{next(numbers)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where state folders are made, if a test writes into its own."""
    return tmp_path_factory.mktemp("states")


@pytest.fixture(autouse=True)
def own_state(states: Path, numbers: Iterator[int], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's state folder, ids, CI system and git configuration."""
    folder = states / str(next(numbers))
    for name in list(os.environ):
        if name.startswith(("GIT_", "GITHUB_", "GITEA_", "GITLAB_", "CI", "COMPOSE_", "TASKLIB_", "TEST_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    for scope in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{scope}", os.devnull)
    return folder


@pytest.fixture(autouse=True)
def no_secrets() -> None:
    """What one test learns to be secret is none of the next one's."""
    forget()


@pytest.fixture
def git() -> Git:
    """``git(folder, "switch", "main")`` runs git there and returns what it printed."""

    def run(folder: Path, *arguments: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where things are that are made once, by the first test that asks, and copied."""
    return tmp_path_factory.mktemp("templates")


@pytest.fixture
def repository(tmp_path: Path, templates: Path, git: Git) -> Path:
    """A clone-like repository on ``main`` with one commit."""
    if not (made := templates / "repository").exists():
        git(templates, "init", "-q", "-b", "main", "--template=", made.name)
        (made / ".git" / "hooks").mkdir()
        git(made, "commit", "-q", "--allow-empty", "-m", "first")
    return Path(shutil.copytree(made, tmp_path / "repository"))

"""What every unit test may use: real git repositories, and a state folder of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's state folder, ids, CI system and git configuration."""
    folder = tmp_path_factory.mktemp("state")
    for name in list(os.environ):
        if name.startswith(("GIT_", "GITHUB_", "GITEA_", "GITLAB_", "CI", "COMPOSE_", "TASKLIB_", "TEST_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    for scope in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{scope}", os.devnull)
    return folder


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


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    """A clone-like repository on ``main`` with one commit."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    return root

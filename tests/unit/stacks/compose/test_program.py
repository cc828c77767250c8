"""Compose by itself, where that is what `docker compose` would have started."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasklib.errors import EngineError
from tasklib.stacks.compose import program as program_of_compose
from tasklib.stacks.compose.program import compose_program as found

Write = Callable[[str, str], Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes an executable file; nothing but what a test writes is found."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(program_of_compose, "_SYSTEM_FOLDERS", (str(tmp_path / "system"),))
    found.cache_clear()

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    yield write
    found.cache_clear()


def test_the_users_own_plugin_comes_before_the_systems(program: Write) -> None:
    """Folders are searched in the order of Docker's own client."""
    program("bin/docker", "\x7fELF")
    system = program("system/docker-compose", "\x7fELF")
    assert found() == (str(system),)
    own = program("config/cli-plugins/docker-compose", "\x7fELF")
    found.cache_clear()
    assert found() == (str(own),)
    extra = program("extra/docker-compose", "\x7fELF")
    program("config/config.json", json.dumps({"cliPluginsExtraDirs": [str(extra.parent)]}))
    found.cache_clear()
    assert found() == (str(extra),)


def test_a_script_called_docker_is_asked(program: Write) -> None:
    """A stand-in for the client: `docker compose` itself answers."""
    program("system/docker-compose", "\x7fELF")
    program("bin/docker", '#!/bin/sh\nexec podman "$@"\n')
    assert found() == ("docker", "compose")


def test_without_a_client(program: Write) -> None:
    """Compose alone will do; without either, the engine's exit code and what to install."""
    with pytest.raises(EngineError, match="no `docker` command"):
        found()
    alone = program("system/docker-compose", "\x7fELF")
    assert found() == (str(alone),)


def test_without_a_plugin_docker_says_so(program: Write) -> None:
    """What is not found or not executable is left to Docker's own message."""
    program("bin/docker", "\x7fELF")
    program("system/docker-compose", "\x7fELF").chmod(0o644)
    assert found() == ("docker", "compose")

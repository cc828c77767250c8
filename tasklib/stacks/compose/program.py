"""Which program Compose is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tasklib import process
from tasklib.errors import EngineError
from tasklib.stacks.address import docker_folder, docker_settings

__all__ = ["compose_program", "compose_version"]

_SYSTEM_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
"""Where the command-line client of Docker looks for plugins on Unix, after the user's own folders.

Source: ``cli-plugins/manager`` of github.com/docker/cli.
"""


@cache
def compose_program() -> tuple[str, ...]:
    """How Compose is started: by itself where Docker's client would find it, else as ``docker compose``.

    The client starts all of its plugins to learn what they are, then Compose once more: half of what a short
    call costs. A ``docker`` that is a script, such as a stand-in for another client, is always asked.
    Raises :class:`~tasklib.errors.EngineError` where there is neither.
    """
    client = shutil.which("docker")
    if client is None or not _is_script(Path(client)):
        for folder in _plugin_folders():
            program = folder / "docker-compose"
            if program.is_file() and os.access(program, os.X_OK):
                return (str(program),)
    if client is None:
        raise EngineError(
            "there is no `docker` command",
            remedy="Install Docker and its Compose plugin: https://docs.docker.com/engine/install",
        )
    return ("docker", "compose")


def compose_version() -> str:
    """The version of Compose that is installed; "" where it does not say."""
    done = process.run([*compose_program(), "version", "--short"], check=False, timeout=10)
    return done.stdout.strip()


def _plugin_folders() -> Iterator[Path]:
    folder = docker_folder()
    extra = docker_settings(folder).get("cliPluginsExtraDirs")
    named = extra if isinstance(extra, list) else []
    yield from (Path(str(path)) for path in (*named, folder / "cli-plugins", *_SYSTEM_FOLDERS))


def _is_script(program: Path) -> bool:
    try:
        with program.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return True

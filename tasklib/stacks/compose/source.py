"""Which Compose files a stack is made of, and how plain Compose is told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct, field

from tasklib import process
from tasklib.stacks.address import EngineAddress, docker_environment
from tasklib.stacks.compose.program import compose_program

__all__ = [
    "Call",
    "Source",
    "as_arguments",
    "base_arguments",
    "env_file_arguments",
    "environment",
    "file_arguments",
]

_SETTINGS = {
    "COMPOSE_ANSI": "never",
    "COMPOSE_MENU": "false",
    # Whose the others in a project are is not known to Compose: a user's own, another checkout's.
    "COMPOSE_IGNORE_ORPHANS": "true",
    "COMPOSE_REMOVE_ORPHANS": "false",
}


class Source(Struct, frozen=True):
    """The Compose files of one stack, as plain Compose would be given them.

    ``files`` are absolute; the first one's folder is the project directory unless ``folder`` says otherwise,
    ``root`` is the project's, whose ``.env`` counts when the Compose files have none beside them, unless
    ``variables`` names the files to read variables from. ``services`` are those that are wanted, with what
    they depend on (empty: all that profiles allow), ``engine`` is where all that is not only read is done
    (``None``: the engine that the environment names).
    """

    files: tuple[Path, ...]
    root: Path
    folder: Path | None = None
    profiles: tuple[str, ...] = ()
    variables: tuple[Path, ...] | None = None
    services: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    engine: EngineAddress | None = None

    @property
    def directory(self) -> Path:
        return self.folder or self.files[0].parent

    @property
    def where(self) -> str:
        """What a message about the stack's files names."""
        return str(self.files[0])

    @property
    def env_files(self) -> tuple[Path, ...]:
        """In the order they are read, the last one wins. Where Compose looks by itself changed with time."""
        if self.variables is not None:
            return self.variables
        folders = dict.fromkeys((self.root, self.directory))
        return tuple(path for folder in folders if (path := folder / ".env").is_file())

    @property
    def missing_env_files(self) -> tuple[Path, ...]:
        """Those that would be read if they were there; none where others are."""
        if self.variables is not None or self.env_files:
            return ()
        return tuple(folder / ".env" for folder in dict.fromkeys((self.root, self.directory)))


class Call(Struct, frozen=True):
    """A command as a process is started: ``env`` is its whole environment, ``stdin`` what it is fed."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    stdin: str | None = None

    def stream(
        self,
        on_line: Callable[[str, str], None],
        cancel: process.Cancel,
        *,
        timeout: float | None = None,
        on_tick: Callable[[], None] | None = None,
    ) -> int:
        """Run it, and give its exit code; see :func:`tasklib.process.stream`."""
        return process.stream(
            self.argv,
            on_line=on_line,
            cwd=self.cwd,
            env=self.env,
            stdin=self.stdin,
            timeout=timeout,
            cancel=cancel,
            on_tick=on_tick,
        )


def base_arguments(source: Source, project: str) -> list[str]:
    """The program and whose call it is."""
    return [*compose_program(), "--project-name", project, "--project-directory", str(source.directory)]


def file_arguments(source: Source) -> list[str]:
    """The files to read, and what decides over them."""
    argv = []
    for path in source.files:
        argv += ["--file", str(path)]
    argv += env_file_arguments(source)
    for profile in source.profiles:
        argv.append(f"--profile={profile}")  # Whatever it begins with, it is a name.
    return argv


def env_file_arguments(source: Source) -> list[str]:
    """What is read for rendering is read for the rest too: secrets take their values from there."""
    return [word for path in source.env_files for word in ("--env-file", str(path))]


def as_arguments(services: Sequence[str]) -> list[str]:
    """Services as arguments: none of them is an option, whatever it is called."""
    return ["--", *services] if services else []


def environment(source: Source, env: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a call, ``env`` added to our own."""
    # Files that say ${PWD} mean the project's folder, from which they are started, not wherever we are.
    own = {"PWD": str(source.root), **source.env, **env, **_SETTINGS}
    merged = docker_environment(own, source.engine)
    # Ours are given as options; BuildKit's own notices would cost lines.
    for name in ("COMPOSE_FILE", "COMPOSE_ENV_FILES", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"):
        merged.pop(name, None)
    return merged

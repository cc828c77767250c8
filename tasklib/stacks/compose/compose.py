"""The only caller of ``docker compose``. Configs with secrets in them are piped, never written."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tasklib import process
from tasklib.errors import ConfigError, EngineError, StackError, TasklibError, engine_stopped
from tasklib.options.likeness import meant
from tasklib.project.compose_files import assignments
from tasklib.project.places import way_to
from tasklib.shown.masking import hide, mask
from tasklib.stacks.address import docker_environment, is_unreachable
from tasklib.stacks.compose.output import BuildOutput, UpOutput, last_words, unset_variables
from tasklib.stacks.compose.program import compose_program, compose_version
from tasklib.stacks.hidden import hide_secrets
from tasklib.stacks.rewrite import as_text

__all__ = [
    "Call",
    "Source",
    "build",
    "create",
    "create_as_written",
    "down_as_written",
    "one_off",
    "render",
    "up",
]

_MISSING = re.compile(r"env file (/.+?) not found")
"""How Compose says that a file of variables is not there."""

_SETTINGS = {
    "COMPOSE_ANSI": "never",
    "COMPOSE_MENU": "false",
    # Whose the others in a project are is not known to Compose: a user's own, another checkout's.
    "COMPOSE_IGNORE_ORPHANS": "true",
    "COMPOSE_REMOVE_ORPHANS": "false",
}

OnLine = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """The Compose files of one stack, as plain Compose would be given them.

    ``files`` are absolute; the first one's folder is the project directory unless ``folder`` says otherwise,
    ``root`` is the project's, whose ``.env`` counts when the Compose files have none beside them, unless
    ``variables`` names the files to read variables from. ``services`` are those that are wanted, with what
    they depend on (empty: all that profiles allow).
    """

    files: tuple[Path, ...]
    root: Path
    folder: Path | None = None
    profiles: tuple[str, ...] = ()
    variables: tuple[Path, ...] | None = None
    services: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def directory(self) -> Path:
        return self.folder or self.files[0].parent

    @property
    def env_files(self) -> tuple[Path, ...]:
        """In the order they are read, the last one wins. Where Compose looks by itself changed with time."""
        if self.variables is not None:
            return self.variables
        folders = dict.fromkeys((self.root, self.directory))
        return tuple(path for folder in folders if (path := folder / ".env").is_file())


@dataclass(frozen=True)
class Call:
    """A command as a process is started: ``env`` is its whole environment, ``stdin`` what it is fed."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    stdin: str | None = None


def render(
    source: Source,
    project: str,
    env: Mapping[str, str],
    cancel: process.Cancel | None = None,
    *,
    interpolate: bool = True,
    on_unset: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """``docker compose config``: the files merged, resolved and (where wanted) interpolated, as one mapping.

    ``env`` is added to our own environment; ``on_unset`` is told each variable that is not set and has no
    default. Raises :class:`~tasklib.errors.ConfigError` with Compose's own words when it refuses them.
    """
    for variables in (source.env, env, *map(assignments, source.env_files)):
        hide(variables)
    argv = [*_base(source, project), *_files(source), "config", "--format", "json"]
    argv += [] if interpolate else ["--no-interpolate"]
    argv += _named(source.services)
    done = process.run(
        argv, cwd=source.directory, env=_environment(source, env), check=False, timeout=120, cancel=cancel
    )
    if done.code:
        if source.services and "no such service: " in done.stderr:
            everything = render(replace(source, services=()), project, env, cancel, interpolate=False)
            raise _no_such_service(done.stderr, source, everything["services"])
        raise _failure(mask(done.stderr), ConfigError, source)
    for name in unset_variables(done.stderr):
        on_unset(name)
    try:
        rendered = json.loads(done.stdout)
    except ValueError as error:
        raise ConfigError("`docker compose config` did not answer with JSON", where=_where(source)) from error
    if not isinstance(rendered, dict) or not rendered.get("services"):
        raise ConfigError(
            "no service is left in this Compose file",
            where=_where(source),
            remedy="Does every service carry a profile? `profiles` in [tool.tasklib] names those to use.",
        )
    hide_secrets(rendered)
    return rendered


def build(
    source: Source,
    config: Mapping[str, Any],
    services: Sequence[str],
    env: Mapping[str, str],
    on_line: OnLine,
    cancel: process.Cancel,
) -> None:
    """Build the images of ``services``. Raises :class:`~tasklib.errors.StackError` with the failing step."""
    output = BuildOutput()
    if _act(source, config, ["build", *_named(services)], env, on_line, cancel, output):
        raise _engine_problem("\n".join(output.lines)) or output.failure(config)


def up(
    source: Source,
    config: Mapping[str, Any],
    env: Mapping[str, str],
    on_line: OnLine,
    cancel: process.Cancel,
) -> None:
    """Create and start everything in ``config``, building nothing, waiting for dependencies only."""
    argv = ["up", "--detach", "--no-build"]
    output = UpOutput()
    if _act(source, config, argv, env, on_line, cancel, output):
        raise _failure(output.reason(), StackError, source)


def create(
    source: Source,
    config: Mapping[str, Any],
    env: Mapping[str, str],
    on_line: OnLine,
    cancel: process.Cancel,
) -> None:
    """Create everything in ``config``, building nothing and starting nothing."""
    output = UpOutput()
    argv = ["create", "--no-build"]
    if _act(source, config, argv, env, on_line, cancel, output):
        raise _failure(output.reason(), StackError, source)


def create_as_written(
    source: Source,
    config: Mapping[str, Any],
    services: Sequence[str],
    on_line: OnLine,
    cancel: process.Cancel,
    *,
    start: bool,
) -> None:
    """Build and create what the files themselves say, all of it or ``services`` with their dependencies.

    ``config`` is the rendered one. Raises :class:`~tasklib.errors.StackError`.
    """
    verb = ["up", "--detach", "--build"] if start else ["create", "--build"]
    output = BuildOutput()
    if _as_written(source, str(config["name"]), [*verb, *_named(services)], on_line, cancel, output):
        text = "\n".join(output.lines)
        built = "failed to solve" in text or "> [" in text
        raise output.failure(config) if built else _failure(output.reason(), StackError, source)


def down_as_written(
    source: Source, project: str, services: Sequence[str], on_line: OnLine, cancel: process.Cancel
) -> None:
    """Stop and remove containers and networks; volumes and orphans stay.

    Raises :class:`~tasklib.errors.StackError`.
    """
    output = UpOutput()
    if _as_written(source, project, ["down", *_named(services)], on_line, cancel, output):
        raise _failure(output.reason(), StackError, source)


def one_off(
    source: Source, config: Mapping[str, Any], service: str, name: str, env: Mapping[str, str]
) -> Call:
    """What runs ``service`` of ``config`` once, in a container called ``name`` that stays afterwards.

    Its output and its exit code are those of the container; what it depends on has to be up.
    """
    base = _base(source, str(config["name"]))
    options = ("--no-deps", "--interactive=false", "--no-TTY", "--name", name)
    argv = (*base, "--progress", "quiet", "--file", "-", "run", *options, *_named([service]))
    return Call(argv, source.directory, _environment(source, env), as_text(config))


def _as_written(
    source: Source,
    project: str,
    verb: Sequence[str],
    on_line: OnLine,
    cancel: process.Cancel,
    output: UpOutput,
) -> int:
    return process.stream(
        [*_base(source, project), "--progress", "plain", *_files(source), *verb],
        on_line=_reader(output, on_line),
        cwd=source.directory,
        env=_environment(source, {}),
        cancel=cancel,
    )


def _act(
    source: Source,
    config: Mapping[str, Any],
    verb: Sequence[str],
    env: Mapping[str, str],
    on_line: OnLine,
    cancel: process.Cancel,
    output: UpOutput,
) -> int:
    project = str(config["name"])
    argv = [*_base(source, project), "--progress", "plain", "--file", "-", *_env_files(source), *verb]

    code = process.stream(
        argv,
        on_line=_reader(output, on_line),
        cwd=source.directory,
        env=_environment(source, env),
        stdin=as_text(config),
        cancel=cancel,
    )
    if code < 0:
        name = signal.Signals(-code).name
        raise StackError(f"`docker compose {verb[0]}` was ended by {name}, not by us", where=_where(source))
    if code and not output.lines:
        what = f"`docker compose {verb[0]}` ended with code {code} and said nothing"
        raise StackError(what, where=_where(source))
    return code


def _reader(output: UpOutput, on_line: OnLine) -> Callable[[str, str], None]:
    def read(_: str, line: str) -> None:
        line = mask(line)  # before anybody cuts it
        output.read(line)
        on_line(line)

    return read


def _base(source: Source, project: str) -> list[str]:
    return [*compose_program(), "--project-name", project, "--project-directory", str(source.directory)]


def _files(source: Source) -> list[str]:
    argv = []
    for path in source.files:
        argv += ["--file", str(path)]
    argv += _env_files(source)
    for profile in source.profiles:
        argv += ["--profile", profile]
    return argv


def _env_files(source: Source) -> list[str]:
    """What is read for rendering is read for the rest too: secrets take their values from there."""
    return [word for path in source.env_files for word in ("--env-file", str(path))]


def _named(services: Sequence[str]) -> list[str]:
    """Services as arguments: none of them is an option, whatever it is called."""
    return ["--", *services] if services else []


def _environment(source: Source, env: Mapping[str, str]) -> dict[str, str]:
    merged = docker_environment({**source.env, **env, **_SETTINGS})
    # Ours are given as options; BuildKit's own notices would cost lines.
    for name in ("COMPOSE_FILE", "COMPOSE_ENV_FILES", "COMPOSE_PROJECT_NAME"):
        merged.pop(name, None)
    return merged


def _where(source: Source) -> str:
    return str(source.files[0])


def _failure(text: str, kind: type[TasklibError], source: Source) -> TasklibError:
    lines = [line for line in text.strip().splitlines() if line.strip() and "level=warning" not in line]
    last = last_words(lines[-1]) if lines else "Compose said nothing"
    if problem := _engine_problem(text):
        return problem
    named = next((str(path) for path in source.files if str(path) in last), None)
    what = last.replace(f"{named}: ", "") if named else last
    missing = _MISSING.search(last)
    remedy = None
    if missing:
        what, remedy = f"the env file {missing[1]} is not there", way_to(Path(missing[1]))
    if "dditional propert" in last and "not allowed" in last:
        version = compose_version()
        remedy = (
            f"Compose {version} is installed, which does not know it: is it misspelt, or newer than that?"
        )
    return kind(what, where=named or _where(source), remedy=remedy)


def _no_such_service(said: str, source: Source, known: Iterable[str]) -> ConfigError:
    name = said.partition("no such service: ")[2].split(":")[0].split()[0]
    return ConfigError(
        f"`needs` or `in` names {name}, which is no service of this Compose file",
        where=_where(source),
        remedy=f"{meant(name, known)} Its services are: {', '.join(sorted(known))}.".lstrip(),
    )


def _engine_problem(text: str) -> EngineError | None:
    if (
        "is not a docker command" in text
        or "unknown shorthand flag" in text
        or "unknown flag: --project" in text
    ):
        return EngineError(
            "Docker Compose v2 is missing",
            remedy="Install the Compose plugin: https://docs.docker.com/compose/install",
        )
    if is_unreachable(text):
        return engine_stopped()
    return None

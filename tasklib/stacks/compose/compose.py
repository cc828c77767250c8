"""The only caller of ``docker compose``. Configs with secrets in them are piped, never written."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import ConfigError, StackError
from tasklib.project.compose_files import assignments
from tasklib.shown.masking import hide, mask
from tasklib.stacks.compose.inline import inline_room
from tasklib.stacks.compose.output import BuildOutput, UpOutput, unset_variables
from tasklib.stacks.compose.refusals import engine_problem, failure, no_such_service
from tasklib.stacks.compose.source import (
    Call,
    Source,
    as_arguments,
    base_arguments,
    env_file_arguments,
    environment,
    file_arguments,
)
from tasklib.stacks.hidden import hide_secrets
from tasklib.stacks.rewrite import as_text

__all__ = [
    "build",
    "create",
    "create_as_written",
    "down_as_written",
    "one_off",
    "render",
    "up",
]

OnLine = Callable[[str], None]


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
    argv = [*base_arguments(source, project), *file_arguments(source), "config", "--format", "json"]
    argv += [] if interpolate else ["--no-interpolate"]
    argv += as_arguments(source.services)
    done = process.run(
        argv, cwd=source.directory, env=environment(source, env), check=False, timeout=120, cancel=cancel
    )
    if done.code:
        if source.services and "no such service: " in done.stderr:
            everything = render(replace(source, services=()), project, env, cancel, interpolate=False)
            raise no_such_service(done.stderr, source, everything["services"])
        raise failure(mask(done.stderr), ConfigError, source)
    for name in unset_variables(done.stderr):
        on_unset(name)
    try:
        rendered = json.loads(done.stdout)
    except ValueError as error:
        raise ConfigError("`docker compose config` did not answer with JSON", where=source.where) from error
    if not isinstance(rendered, dict) or not rendered.get("services"):
        raise ConfigError(
            "no service is left in this Compose file",
            where=source.where,
            remedy="Where every service has a profile, `profiles` in [tool.tasklib] names those to use.",
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
    verb = ["build", *as_arguments(services)]
    with inline_room(config) as room:
        code = _act(source, config, verb, {**env, **room}, on_line, cancel, output)
    if code:
        raise engine_problem("\n".join(output.lines)) or output.failure(config)


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
        raise failure(output.reason(), StackError, source)


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
        raise failure(output.reason(), StackError, source)


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
    if _as_written(source, str(config["name"]), [*verb, *as_arguments(services)], on_line, cancel, output):
        text = "\n".join(output.lines)
        built = "failed to solve" in text or "> [" in text
        raise output.failure(config) if built else failure(output.reason(), StackError, source)


def down_as_written(
    source: Source, project: str, services: Sequence[str], on_line: OnLine, cancel: process.Cancel
) -> None:
    """Stop and remove containers and networks; volumes and orphans stay.

    Raises :class:`~tasklib.errors.StackError`.
    """
    output = UpOutput()
    if _as_written(source, project, ["down", *as_arguments(services)], on_line, cancel, output):
        raise failure(output.reason(), StackError, source)


def one_off(
    source: Source, config: Mapping[str, Any], service: str, name: str, env: Mapping[str, str]
) -> Call:
    """What runs ``service`` of ``config`` once, in a container called ``name`` that stays afterwards.

    Its output and its exit code are those of the container; what it depends on has to be up.
    """
    base = base_arguments(source, str(config["name"]))
    options = ("--no-deps", "--interactive=false", "--no-TTY", "--name", name)
    argv = (*base, "--progress", "quiet", "--file", "-", "run", *options, *as_arguments([service]))
    return Call(argv, source.directory, environment(source, env), as_text(config))


def _as_written(
    source: Source,
    project: str,
    verb: Sequence[str],
    on_line: OnLine,
    cancel: process.Cancel,
    output: UpOutput,
) -> int:
    return process.stream(
        [*base_arguments(source, project), "--progress", "plain", *file_arguments(source), *verb],
        on_line=_reader(output, on_line),
        cwd=source.directory,
        env=environment(source, {}),
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
    argv = [
        *base_arguments(source, project),
        "--progress",
        "plain",
        "--file",
        "-",
        *env_file_arguments(source),
        *verb,
    ]

    code = process.stream(
        argv,
        on_line=_reader(output, on_line),
        cwd=source.directory,
        env=environment(source, env),
        stdin=as_text(config),
        cancel=cancel,
    )
    if code < 0:
        name = signal.Signals(-code).name
        raise StackError(f"`docker compose {verb[0]}` was ended by signal {name}", where=source.where)
    if code and not output.lines:
        what = f"`docker compose {verb[0]}` ended with code {code} and said nothing"
        raise StackError(what, where=source.where)
    return code


def _reader(output: UpOutput, on_line: OnLine) -> Callable[[str, str], None]:
    def read(_: str, line: str) -> None:
        line = mask(line)  # before anybody cuts it
        output.read(line)
        on_line(line)

    return read

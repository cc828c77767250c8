"""``infra``: stacks up and down, and what is known of them."""

from __future__ import annotations

from typing import Any

from invoke.collection import Collection
from invoke.context import Context

from tasklib.tasks._boundary import task

__all__ = ["infra"]

_NAME = "the stack of this service instead of the full stack; repeats"
_ENV = "test, dev or prod"


@task(repeats=("name",), help={"name": _NAME, "env": _ENV, "yes": "start prod without asking"})
def up(context: Context, name: Any = None, env: str = "test", yes: bool = False) -> None:
    """Bring up the full stack, or `--name api`, and keep it."""
    from tasklib.commands import infrastructure

    infrastructure.up(name or (), environment=env, yes=yes, dry=bool(context.config.run.dry))


@task(repeats=("name",), help={"name": _NAME, "env": _ENV})
def down(context: Context, name: Any = None, env: str = "test") -> None:
    """Take down every stack of this instance, or `--name api`."""
    from tasklib.commands import infrastructure

    infrastructure.down(name or (), environment=env, dry=bool(context.config.run.dry))


@task(help={"env": _ENV})
def status(context: Context, env: str = "test") -> None:
    """What of this checkout runs, and where it is reachable."""
    from tasklib.commands import infrastructure

    infrastructure.status(environment=env)


@task(
    repeats=("name",),
    help={"name": "only this container's service; repeats", "env": _ENV, "tail": "lines a container"},
)
def logs(context: Context, name: Any = None, env: str = "test", tail: str = "100") -> None:
    """The last lines of the containers of this checkout."""
    from tasklib.commands import infrastructure

    infrastructure.logs(name or (), environment=env, tail=tail)


@task(help={"format": "shell, dotenv or json", "name": "the stack of this service", "env": _ENV})
def env(context: Context, format: str = "shell", name: str | None = None, env: str = "test") -> None:
    """Variables for plain Compose and tests: eval "$(invoke infra.env)"."""
    from tasklib.commands import infrastructure

    infrastructure.env(format, name=name, environment=env)


@task(
    help={
        "file": "any Compose file; no project is needed",
        "name": "the stack of this service",
        "diff": "what changes and why, rule by rule",
        "env": _ENV,
    }
)
def config(
    context: Context, file: str | None = None, name: str | None = None, diff: bool = False, env: str = "test"
) -> int:
    """The isolated config that would run, as JSON."""
    from tasklib.commands import infrastructure

    return infrastructure.config(file, name=name, diff=diff, environment=env)


@task(name="id")
def show_id(context: Context) -> None:
    """The instance id, one word."""
    from tasklib.commands import infrastructure

    infrastructure.instance_id()


infra = Collection("infra", up, down, status, logs, env, config, show_id)

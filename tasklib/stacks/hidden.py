"""What a rendered Compose config knows to be secret, told to what hides it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasklib.shown.masking import hide
from tasklib.shown.words import secret_words
from tasklib.stacks.dollars import plain

__all__ = ["hide_secrets", "hide_started"]


def hide_secrets(rendered: Mapping[str, Any]) -> None:
    """Hide the secrets of every service's environment, commands and build arguments.

    And those of the stack: its ``secrets:``, and what is one in the content of its ``configs:``.
    """
    for variables in _variables(rendered):
        hide(variables)


def hide_started(environment: Mapping[str, str], *commands: Iterable[str]) -> None:
    """Hide what a container was started with, whatever its files say by now."""
    hide(environment)
    hide(_of_commands(commands))


def _variables(rendered: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    for service in (rendered.get("services") or {}).values():
        yield _texts(service.get("environment"))
        build = service.get("build")
        yield _texts(build.get("args") if isinstance(build, Mapping) else None)
        yield _of_commands(map(_words, _commands(service)))
    yield _of_commands(_words(config.get("content")) for config in (rendered.get("configs") or {}).values())
    for name, secret in (rendered.get("secrets") or {}).items():
        yield {f"SECRET {name}": _content(secret)}


def _of_commands(commands: Iterable[Iterable[str]]) -> Mapping[str, str]:
    """The secrets among the words of commands, under names that say they are such."""
    values = (value for command in commands for value in secret_words(command))
    return {f"SECRET {number}": value for number, value in enumerate(values)}


def _commands(service: Mapping[str, Any]) -> Iterator[Any]:
    """Whatever a service has run."""
    check = service.get("healthcheck")
    yield from (service.get("command"), service.get("entrypoint"))
    yield check.get("test") if isinstance(check, Mapping) else None
    for key in ("post_start", "pre_stop"):
        hooks = service.get(key)
        yield from (hook.get("command") for hook in hooks or () if isinstance(hook, Mapping))


def _words(command: Any) -> list[str]:
    # `$$` is how a rendered config writes a dollar.
    words = command if isinstance(command, list) else [] if command is None else [command]
    return [plain(word) for word in words]


def _texts(variables: Any) -> Mapping[str, str]:
    """The ones that have a value; without interpolation Compose leaves lists as they are written."""
    if isinstance(variables, list):
        variables = dict(str(item).partition("=")[::2] for item in variables)
    found = variables if isinstance(variables, Mapping) else {}
    # `$$` is how a rendered config writes a dollar.
    return {str(key): plain(value) for key, value in found.items() if value}


def _content(secret: Mapping[str, Any]) -> str:
    if variable := secret.get("environment"):
        return os.environ.get(str(variable), "")
    if "file" not in secret:
        return str(secret.get("content") or "")
    try:
        return Path(plain(secret["file"])).read_text(errors="replace").strip()
    except (OSError, ValueError):
        return ""

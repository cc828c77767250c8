"""Compose files → what Compose makes of them, for our id and for another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any

from msgspec import Struct

from tasklib import process
from tasklib.errors import ConfigError
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.source import Source

__all__ = ["render", "render_ahead"]

_PROBE_ID = "tasklib-probe-b1d64f"
"""Another id to render with: what changes under it is scoped by the file itself."""


class _Asked(Struct, frozen=True):
    """A question that Compose was asked before anybody needed the answer: the config, the unset variables."""

    source: Source
    project: str
    env: Mapping[str, str]
    answer: Future[tuple[dict[str, Any], tuple[str, ...]]]


_ASKED: list[_Asked] = []
"""What was asked ahead of the next question; whoever asks that takes all of it."""


def render_ahead(source: Source, project: str, env: Mapping[str, str], cancel: process.Cancel) -> None:
    """Begin to ask what the next :func:`render` will, unless that is for anything else; nothing is raised."""
    asked = _Asked(source, project, _elsewhere(env), Future())

    def ask() -> None:
        unset: list[str] = []
        try:
            found = compose.render(source, project, asked.env, cancel, on_unset=unset.append)
        except Exception as error:
            asked.answer.set_exception(error)
        else:
            asked.answer.set_result((found, tuple(unset)))

    _ASKED.append(asked)
    Thread(target=ask, daemon=True).start()


def render(
    source: Source,
    project: str,
    env: Mapping[str, str],
    cancel: process.Cancel | None,
    on_unset: Callable[[str], None],
    *,
    twice: bool,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Compose makes of the files for our id, and for another one.

    Interpolation puts the id in as it stands, so that what another id leads to tells what ours would, and
    Compose need not be asked ``twice``. Only where files are chosen by the id, it may find other ones.
    """
    other = _elsewhere(env)
    if not twice:
        try:
            probe = _answered(source, project, other, on_unset) or compose.render(
                source, project, other, cancel, on_unset=on_unset
            )
        except ConfigError:
            pass  # A file named by the id, or the user's mistake: our own id tells.
        else:
            return _renamed(probe, _PROBE_ID, env["TEST_INSTANCE_ID"]), probe
    rendered = compose.render(source, project, env, cancel, on_unset=on_unset)
    try:
        return rendered, compose.render(source, project, other, cancel, on_unset=on_unset)
    except ConfigError:
        return rendered, rendered


def _elsewhere(env: Mapping[str, str]) -> dict[str, str]:
    return {**env, "TEST_INSTANCE_ID": _PROBE_ID}


def _answered(
    source: Source, project: str, env: Mapping[str, str], on_unset: Callable[[str], None]
) -> dict[str, Any] | None:
    """What was asked ahead; ``None`` where it was something else. Raises as Compose's answer does.

    What is not wanted now is forgotten: later the files may be others.
    """
    asked, _ASKED[:] = list(_ASKED), []
    for each in asked:
        if (each.source, each.project, each.env) == (source, project, env):
            found, unset = each.answer.result()
            for name in unset:
                on_unset(name)
            return found
    return None


def _renamed(part: Any, old: str, new: str) -> Any:
    """``part`` with ``new`` for ``old`` in every string, keys included."""
    match part:
        case str():
            return part.replace(old, new)
        case dict():
            return {key.replace(old, new): _renamed(value, old, new) for key, value in part.items()}
        case list():
            return [_renamed(item, old, new) for item in part]
        case _:
            return part

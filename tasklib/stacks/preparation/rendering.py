"""Compose files → what Compose makes of them, for our id and for another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tasklib import process
from tasklib.errors import ConfigError
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.source import Source

__all__ = ["render"]

_PROBE_ID = "tasklib-probe-b1d64f"
"""Another id to render with: what changes under it is scoped by the file itself."""


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
    other = {**env, "TEST_INSTANCE_ID": _PROBE_ID}
    if not twice:
        try:
            probe = compose.render(source, project, other, cancel, on_unset=on_unset)
        except ConfigError:
            pass  # A file named by the id, or the user's mistake: our own id tells.
        else:
            return _renamed(probe, _PROBE_ID, env["TEST_INSTANCE_ID"]), probe
    rendered = compose.render(source, project, env, cancel, on_unset=on_unset)
    try:
        return rendered, compose.render(source, project, other, cancel, on_unset=on_unset)
    except ConfigError:
        return rendered, rendered


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

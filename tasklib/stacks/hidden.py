"""What a rendered Compose config knows to be secret, told to what hides it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasklib.shown.masking import hide

__all__ = ["hide_secrets"]


def hide_secrets(rendered: Mapping[str, Any]) -> None:
    """Hide the secrets of every service's environment and build arguments, and the stack's ``secrets:``."""
    for variables in _variables(rendered):
        hide(variables)


def _variables(rendered: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    for service in (rendered.get("services") or {}).values():
        yield _texts(service.get("environment"))
        build = service.get("build")
        yield _texts(build.get("args") if isinstance(build, Mapping) else None)
    for name, secret in (rendered.get("secrets") or {}).items():
        yield {f"SECRET {name}": _content(secret)}


def _texts(variables: Any) -> Mapping[str, str]:
    """The ones that have a value; without interpolation Compose leaves lists as they are written."""
    if isinstance(variables, list):
        variables = dict(str(item).partition("=")[::2] for item in variables)
    found = variables if isinstance(variables, Mapping) else {}
    # `$$` is how a rendered config writes a dollar.
    return {str(key): str(value).replace("$$", "$") for key, value in found.items() if value}


def _content(secret: Mapping[str, Any]) -> str:
    if variable := secret.get("environment"):
        return os.environ.get(str(variable), "")
    if "file" not in secret:
        return str(secret.get("content") or "")
    try:
        return Path(str(secret["file"])).read_text(errors="replace").strip()
    except (OSError, ValueError):
        return ""

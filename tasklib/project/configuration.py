"""``[tool.tasklib]`` of a pyproject.toml as :class:`~tasklib.project.settings.Settings`, checked."""

from __future__ import annotations

import re

from tasklib.isolation import is_plain_id
from tasklib.project.settings import Settings
from tasklib.project.toml import Document

__all__ = ["TABLE", "load"]

TABLE = ("tool", "tasklib")

_PLACE = re.compile(r"\{[A-Za-z0-9._ -]+:\d+\}")
"""``{api:8000}`` in the template of an endpoint: a service and its port."""


def load(document: Document) -> Settings:
    """The settings of a pyproject.toml (all defaults where it has no such table).

    Raises :class:`~tasklib.errors.ConfigError` naming file and line for anything that cannot be meant.
    """
    settings = document.load(Settings, *TABLE)
    if not is_plain_id(settings.prefix):
        raise document.error(
            f"`prefix` cannot start a Compose project's name: {settings.prefix!r}",
            *(*TABLE, "prefix"),
            remedy="At most 20 lower-case letters, digits and single dashes between them.",
        )
    for variable, template in settings.endpoints.items():
        if not (variable.isascii() and variable.isidentifier()):
            raise document.error(
                f"`endpoints`: {variable!r} cannot be the name of a variable", *TABLE, "endpoints", variable
            )
        if wrong := re.search(r"[{}]", _PLACE.sub("", template)):
            raise document.error(
                f"`endpoints.{variable}`: {template!r} has a {wrong[0]} that belongs to no {{service:port}}",
                *(*TABLE, "endpoints", variable),
                remedy="A place is written like {api:8000}: the service and its port in the container.",
            )
    return settings

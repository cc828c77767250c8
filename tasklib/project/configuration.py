"""``[tool.tasklib]``: every key, its type and its default."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from tasklib.isolation import is_plain_id
from tasklib.project.toml import Document

__all__ = ["TABLE", "ServiceSection", "Settings", "load"]

TABLE = ("tool", "tasklib")

_PLACE = re.compile(r"\{[A-Za-z0-9._ -]+:\d+\}")
"""``{api:8000}`` in the template of an endpoint: a service and its port."""

Files = str | list[str] | None
Seconds = Annotated[float, msgspec.Meta(gt=0)] | None


class ServiceSection(msgspec.Struct, frozen=True):
    """``services.<name>``. ``path`` is relative to the project, everything else to the service's folder."""

    path: str | None = None
    compose: Files = None
    unit: str | None = None
    service: str | None = None
    command: Annotated[list[str], msgspec.Meta(min_length=1)] | None = None
    env: dict[str, str] = {}
    depends: list[str] = []


class ComposeSection(msgspec.Struct, frozen=True):
    """``compose``: the full stack's files per environment, relative to the project."""

    test: Files = None
    dev: Files = None
    prod: Files = None


class SharedSection(msgspec.Struct, frozen=True):
    """``shared``: what tests may touch although it is not theirs alone."""

    volumes: list[str] = []
    networks: list[str] = []
    mounts: list[str] = []
    host_network: bool = msgspec.field(default=False, name="host-network")


class ImagesSection(msgspec.Struct, frozen=True):
    """``images``."""

    name: str | None = None


class StageSeconds(msgspec.Struct, frozen=True):
    """Seconds per stage: ``slow`` and ``timeout``."""

    unit: Seconds = None
    service: Seconds = None
    integration: Seconds = None


class TimeoutSection(StageSeconds, frozen=True):
    """``timeout``: of a stage's test process, and of a stack until it is ready."""

    ready: Seconds = None


class Settings(msgspec.Struct, frozen=True):
    """The whole table."""

    prefix: str = "test"
    name: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    services: dict[str, ServiceSection] = {}
    compose: ComposeSection = ComposeSection()
    integration: str | None = None
    profiles: list[str] | None = None
    endpoints: dict[str, str] = {}
    shared: SharedSection = SharedSection()
    persistent: list[str] = []
    images: ImagesSection = ImagesSection()
    slow: StageSeconds = StageSeconds()
    timeout: TimeoutSection = TimeoutSection()
    jobs: Annotated[int, msgspec.Meta(ge=1)] | None = None
    base_branch: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(
        default="main", name="base-branch"
    )


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

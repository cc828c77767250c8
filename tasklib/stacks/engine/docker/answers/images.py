"""PURE: what the engine answers about images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tasklib.stacks.engine.values import BaseImage, ImageConfig, Resource

__all__ = ["base_image_from", "environment_from", "image_config_from", "image_from", "volumes_of_image_from"]


def image_from(row: Mapping[str, Any], tag: str) -> Resource | None:
    """An image as something that can be removed by ``tag``.

    An image's id in place of a tag stands for an image without any; one that has tags is somebody's.
    """
    if tag.startswith("sha256:") and row.get("RepoTags"):
        return None
    labels = (row.get("Config") or {}).get("Labels") or {}
    return Resource("image", tag, tag, labels, int(row.get("Size") or 0))


def base_image_from(row: Mapping[str, Any]) -> BaseImage:
    config = row.get("Config") or {}
    return BaseImage(
        str(row["Id"]),
        bool(config.get("OnBuild")),
        tuple(map(str, row.get("RepoDigests") or ())),
        environment_from(config.get("Env") or ()),
        str(config.get("WorkingDir") or "/"),
    )


def image_config_from(row: Mapping[str, Any]) -> ImageConfig:
    """How an image is run."""
    config = row.get("Config") or {}
    return ImageConfig(
        str(row["Id"]),
        tuple(config.get("Entrypoint") or ()),
        tuple(config.get("Cmd") or ()),
        environment_from(config.get("Env") or ()),
        volumes_of_image_from(row),
    )


def volumes_of_image_from(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths that an image declares as VOLUME."""
    return tuple((row.get("Config") or {}).get("Volumes") or ())


def environment_from(rows: Iterable[str]) -> dict[str, str]:
    """``NAME=value`` rows as a mapping."""
    return {name: value for name, _, value in (row.partition("=") for row in rows)}

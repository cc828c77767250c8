"""Images of an engine that the SDK speaks to."""

from __future__ import annotations

from collections.abc import Iterable

from tasklib.stacks.engine.docker.answers.images import (
    base_image_from,
    image_config_from,
    image_from,
    volumes_of_image_from,
)
from tasklib.stacks.engine.docker.client import Client
from tasklib.stacks.engine.patience import translated
from tasklib.stacks.engine.values import BaseImage, ImageConfig, Resource

__all__ = ["Images"]


class Images(Client):
    """What :class:`~tasklib.stacks.engine.engine.Engine` says of images."""

    @translated
    def images(self, tags: Iterable[str]) -> tuple[Resource, ...]:
        found = (image_from(row, tag) for tag in tags if (row := self._image(tag)) is not None)
        return tuple(image for image in found if image)

    def image_id(self, tag: str) -> str | None:
        found = self.base_image(tag)
        return found.id if found else None

    @translated
    def base_image(self, tag: str) -> BaseImage | None:
        row = self._image(tag)
        return None if row is None else base_image_from(row)

    @translated
    def image_config(self, tag: str) -> ImageConfig | None:
        row = self._image(tag)
        return None if row is None else image_config_from(row)

    @translated
    def image_volumes(self, image: str) -> tuple[str, ...] | None:
        row = self._image(image)
        return None if row is None else volumes_of_image_from(row)

    @translated
    def tag(self, image: str, tag: str) -> None:
        repository, _, version = tag.rpartition(":")
        self._api.tag(image, repository, version)

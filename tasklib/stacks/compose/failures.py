"""What went wrong with a stack, with the lines that its parts wrote last."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tasklib.errors import StackError
from tasklib.results import ContainerLog

__all__ = ["BuildFailed", "NotReady", "missing_image"]


_PULL = re.compile(r"https?://|manifest|pull|platform")
"""What is in a reason that is about getting an image."""


_PULLED_AGAIN = ("always", "daily", "weekly")


class NotReady(StackError):
    """A stack did not become ready; ``logs`` are the last lines of the containers at fault."""

    def __init__(
        self,
        what: str,
        *,
        logs: tuple[ContainerLog, ...] = (),
        where: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.logs = logs


class BuildFailed(NotReady):
    """An image of a stack cannot be built; ``logs`` are the last lines of the step that failed."""


def missing_image(
    config: Mapping[str, Any], image_id: Callable[[str], str | None], error: StackError
) -> StackError | None:
    """What a failed start says when an image is not there: the registry names neither image nor service."""
    for name, service in config["services"].items():
        image = str(service.get("image", ""))
        if "build" not in service and image and image_id(image) is None:
            return StackError(f"{name}: the image {image} cannot be pulled: {error.what}", where=error.where)
    if not _PULL.search(error.what):
        return None
    # One that is here may be another platform's, or is asked for again. Which one it was is not said.
    wanted = tuple(
        f"{name}: the image {service.get('image')}" + (f" for {platform}" if platform else "")
        for name, service in config["services"].items()
        if "build" not in service
        and ((platform := service.get("platform")) or service.get("pull_policy") in _PULLED_AGAIN)
    )
    if not wanted:
        return None
    return StackError(f"{' or '.join(wanted)} cannot be had: {error.what}", where=error.where)

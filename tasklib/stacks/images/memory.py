"""What is known of images beyond the run that builds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from tasklib.state.records import Origin

__all__ = ["Memory"]


class Memory(Protocol):
    """What is known of images beyond the run that builds them."""

    def built(self, project: str, tags: Iterable[str]) -> None:
        """``tags`` are about to be built for ``project``; what is told here can be removed.

        Among them are the ids of images that the build may leave without a tag.
        """
        ...

    def origin(self, project: str, tag: str) -> Origin | None:
        """What the image ``tag`` was last built from, where that is known."""
        ...

    def built_id(self, project: str, tag: str) -> str | None:
        """The id of what was last built for ``project`` under ``tag``.

        ``None`` where nothing was, "" where that was cut off before it was told.
        """
        ...

    def remember(self, project: str, ids: Mapping[str, str], origins: Mapping[str, Origin]) -> None:
        """The images of these tags were built, and from that where it is known."""
        ...

"""Where Compose and bake write the Dockerfiles that stand in a Compose file; they leave them there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from tasklib import process

__all__ = ["inline_room"]


@contextlib.contextmanager
def inline_room(config: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What a build of a rendered ``config`` finds in its environment: a temporary folder that goes with it.

    Nothing where no Dockerfile is inline: whoever is confined sees folders of its own.
    """
    builds = (service.get("build") for service in config["services"].values())
    if not any(isinstance(build, Mapping) and "dockerfile_inline" in build for build in builds):
        yield {}
        return
    with process.scratch_folder() as folder:
        yield {"TMPDIR": str(folder)}

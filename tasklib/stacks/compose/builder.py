"""Which builder ``docker buildx`` takes by itself, and where what it attests of images could be kept."""

from __future__ import annotations

import re

from msgspec import Struct

from tasklib import process
from tasklib.stacks.address import docker_environment

__all__ = ["Builder", "current_builder"]

_SAID = re.compile(r"(?m)^(Name|Driver):\s*(\S+)")
_CONTAINERD = "io.containerd.snapshotter"


class Builder(Struct, frozen=True):
    """One builder: its name, and what runs it (``docker``: the engine itself; "": not known).

    ``keeps`` is whether the engine's store of images keeps attestations beside an image.
    """

    name: str
    driver: str
    keeps: bool = False

    @property
    def is_engine(self) -> bool:
        return self.driver == "docker"


def current_builder(cancel: process.Cancel) -> Builder:
    """The builder that the next build takes: BUILDX_BUILDER, or what ``docker buildx use`` chose."""
    env = docker_environment()
    inspected = process.run(["docker", "buildx", "inspect"], cancel=cancel, check=False, env=env)
    # Its nodes follow and have names, too.
    said = dict(reversed(_SAID.findall(inspected.stdout)))
    builder = Builder(said.get("Name", ""), said.get("Driver", ""))
    if not builder.is_engine:
        return builder
    asked = ["docker", "info", "--format", "{{json .DriverStatus}}"]
    status = process.run(asked, cancel=cancel, check=False, env=env)
    return Builder(builder.name, builder.driver, keeps=_CONTAINERD in status.stdout)

"""The engine that Docker's SDK speaks to."""

from __future__ import annotations

from tasklib.reach import Way
from tasklib.stacks.address import EngineAddress
from tasklib.stacks.engine.docker.connection import connect
from tasklib.stacks.engine.docker.containers import Containers
from tasklib.stacks.engine.docker.images import Images
from tasklib.stacks.engine.docker.resources import Resources

__all__ = ["DockerEngine"]


class DockerEngine(Containers, Resources, Images):
    """The engine that the current context or DOCKER_HOST names, or another one."""

    @classmethod
    def connect(
        cls, wanted: Way | None = None, *, strict: bool = True, elsewhere: EngineAddress | None = None
    ) -> DockerEngine:
        """Connect and learn what the engine is; see :func:`.connection.connect`."""
        return cls(connect(wanted, strict=strict, elsewhere=elsewhere))

    def close(self) -> None:
        self._connection.held.close()

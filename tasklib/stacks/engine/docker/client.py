"""What every part of an engine that the SDK speaks to asks by: the client, and whose a container is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasklib.stacks.engine.docker.connection import Connection
from tasklib.stacks.engine.docker.membership import Membership
from tasklib.stacks.engine.inheritance import inherits, may_inherit
from tasklib.stacks.engine.patience import Heart

__all__ = ["Client"]


class Client:
    """A connection to an engine, and the questions that more than one part asks through it."""

    def __init__(self, connection: Connection) -> None:
        client, facts = connection.client, connection.facts
        self._api = client
        self.facts = facts
        self._connection = connection
        self._membership = Membership(client, facts)
        self.heart = Heart(
            lambda timeout: client.get(f"{client.base_url}/_ping", timeout=timeout), connection.tunnel
        )

    def _inspect(self, container_id: str) -> Mapping[str, Any] | None:
        import docker.errors

        try:
            return dict(self._api.inspect_container(container_id))
        except docker.errors.NotFound:
            return None

    def _image(self, tag: str) -> Mapping[str, Any] | None:
        import docker.errors

        try:
            return dict(self._api.inspect_image(tag))
        except docker.errors.NotFound:
            return None

    def _labels(self, image: str) -> Mapping[str, str] | None:
        row = self._image(image)
        return None if row is None else (row.get("Config") or {}).get("Labels") or {}

    def _inherits(self, labels: Mapping[str, str], name: str, image: str) -> bool:
        if not may_inherit(labels, name):
            return False
        return inherits(labels, self._labels(image))

"""The container that tests run in, on the networks of the stacks that they are for.

It is marked there, so that whoever removes such a network, the reaper or another machine's run, can have it
leave: an engine removes no network that something is on.
"""

from __future__ import annotations

from typing import Any

from tasklib.stacks.engine.docker.answers.containers import networks_of
from tasklib.stacks.engine.patience import TIMEOUT
from tasklib.stacks.engine.values import PROJECT_LABEL, EngineFacts

__all__ = ["Membership"]

_JOINED = "io.tasklib.joined"
"""The mark; its value is the Compose project."""

_GATEWAY_PRIORITY = (1, 48)
"""The first version of the API in which numbers choose a container's gateway; before, names do."""


class Membership:
    """Ours, on the networks of one engine."""

    def __init__(self, client: Any, facts: EngineFacts) -> None:
        self._api = client
        self._facts = facts
        self._known: frozenset[str] | None = None

    @property
    def networks(self) -> frozenset[str]:
        """The ids of the networks that our container is on, where it joins some at all."""
        if self._known is None:
            ours = self._facts.reach.container
            self._known = networks_of(self._api.inspect_container(ours)) if ours else frozenset()
        return self._known

    def join(self, project: str) -> None:
        """Be on every network of a Compose project."""
        ours = self._facts.reach.container
        if not ours:
            return
        known = networks_of(self._api.inspect_container(ours))
        wanted = self._api.networks(filters={"label": [f"{PROJECT_LABEL}={project}"]})
        for network in [row["Id"] for row in wanted if row["Id"] not in known]:
            endpoint: dict[str, object] = {"DriverOpts": {_JOINED: project}}
            if self._facts.api >= _GATEWAY_PRIORITY:
                endpoint["GwPriority"] = -1  # Our way to the world stays what it is.
            answer = self._api.post(
                f"{self._api.base_url}/v{self._api.api_version}/networks/{network}/connect",
                json={"Container": ours, "EndpointConfig": endpoint},
                timeout=TIMEOUT,
            )
            self._api._raise_for_status(answer)
        self._known = None

    def remove(self, network: str) -> None:
        """Remove a network; who had joined it leaves first. Raises the SDK's errors."""
        import docker.errors

        try:
            self._api.remove_network(network)
        except docker.errors.APIError as error:
            if error.status_code != 403 or not self._part(network):
                raise
            self._api.remove_network(network)

    def _part(self, network: str) -> bool:
        """Whether there was somebody who had joined and left now."""
        there = self._api.inspect_network(network).get("Containers") or ()
        joined = [container for container in there if self._has_joined(container, network)]
        for container in joined:
            self._api.disconnect_container_from_network(container, network, force=True)
        return bool(joined)

    def _has_joined(self, container: str, network: str) -> bool:
        import docker.errors

        try:
            return network in networks_of(self._api.inspect_container(container), marked=_JOINED)
        except docker.errors.NotFound:
            return False

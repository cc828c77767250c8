"""What an engine that the SDK speaks to holds: whose it is, what it takes, and its removal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network

from tasklib.stacks.engine.docker.answers.resources import (
    age_of,
    busy_from,
    container_resource_from,
    network_resource_from,
    project_subnets_from,
    publishers_from,
    subnets_from,
    usage_from,
    volume_resource_from,
    writable_mounts_from,
)
from tasklib.stacks.engine.docker.client import Client
from tasklib.stacks.engine.patience import translated
from tasklib.stacks.engine.values import PROJECT_LABEL, Publisher, Resource, Usage, WritableMount, with_sizes

__all__ = ["Resources"]

_BUSY = 5.0
"""Seconds for which the engine may do its accounting for others before ours is given up."""


class Resources(Client):
    """What :class:`~tasklib.stacks.engine.engine.Engine` says of what is owned, networks and build cache."""

    @translated
    def owned(self, labels: Mapping[str, str], *, kinds: Iterable[str] = ()) -> tuple[Resource, ...]:
        filters = {"label": _filters(labels)}
        kinds = set(kinds) or {"container", "network", "volume"}
        found: list[Resource] = []
        if "container" in kinds:
            found += (resource for resource, inherits in self._listed(filters) if not inherits)
        if "network" in kinds:
            found += map(network_resource_from, self._api.networks(filters=filters))
        if "volume" in kinds:
            found += map(volume_resource_from, self._api.volumes(filters=filters).get("Volumes") or ())
        return tuple(found)

    @translated
    def inherited(self, labels: Mapping[str, str]) -> tuple[Resource, ...]:
        filters = {"label": _filters(labels)}
        return tuple(resource for resource, inherits in self._listed(filters) if inherits)

    def _listed(self, filters: Mapping[str, list[str]]) -> Iterator[tuple[Resource, bool]]:
        """Containers, each with whether it has its labels from its image."""
        for row in self._api.containers(all=True, filters=filters):
            found = container_resource_from(row)
            yield found, self._inherits(found.labels, found.name, str(row.get("ImageID")))

    def remove(self, resources: Sequence[Resource]) -> tuple[Resource, ...]:
        gone: list[Resource] = []
        # Containers hold networks and volumes; images may be held by containers. Two tags of one image at a
        # time are too much for the engine.
        for kinds in ({"container"}, {"network", "volume"}, {"image"}):
            batch = [resource for resource in resources if resource.kind in kinds]
            if batch:
                with ThreadPoolExecutor(1 if "image" in kinds else min(8, len(batch))) as pool:
                    done = pool.map(self._remove, batch)
                    gone += [resource for resource, removed in zip(batch, done, strict=True) if removed]
        return tuple(gone)

    @translated
    def _remove(self, resource: Resource) -> bool:
        import docker.errors

        try:
            if resource.kind == "container":
                self._api.remove_container(resource.id, force=True, v=True)
            elif resource.kind == "network":
                self._membership.remove(resource.id)
            elif resource.kind == "volume":
                self._api.remove_volume(resource.id, force=True)
            else:
                self._api.remove_image(resource.id)
        except docker.errors.NotFound:
            return True
        except docker.errors.APIError as error:
            return bool(error.status_code == 409 and "in progress" in str(error.explanation))
        return True

    @translated
    def sized(self, resources: Iterable[Resource]) -> tuple[Resource, ...]:
        return with_sizes(resources, self._usage())

    @translated
    def cached_layers(self) -> Mapping[str, bool]:
        return self._usage().layers

    def _usage(self) -> Usage:
        """The engine's accounting. It refuses while it does the same for someone else; empty in the end."""
        import docker.errors

        deadline = time.monotonic() + _BUSY
        while True:
            try:
                return usage_from(self._api.df())
            except docker.errors.APIError as error:
                if "already running" not in str(error.explanation):
                    raise
            if time.monotonic() > deadline:
                return Usage()
            time.sleep(0.1)

    @translated
    def prune_layers(self, layers: Iterable[str]) -> None:
        left = set(layers)
        pruned = True
        while left and pruned:
            # The engine takes one id at a time, as a pattern, and what stands on another has to go first.
            answers = [self._api.prune_builds(filters={"id": f"^{layer}$"}, all=True) for layer in left]
            pruned = bool(gone := {layer for answer in answers for layer in answer["CachesDeleted"] or ()})
            left -= gone

    @translated
    def join(self, project: str) -> None:
        self._membership.join(project)

    @translated
    def named_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        return volume_resource_from(self._api.create_volume(name, labels=dict(labels))).labels

    @translated
    def volume_ages(self, label: str) -> tuple[tuple[Resource, float], ...]:
        rows = self._api.volumes(filters={"label": [label]}).get("Volumes") or ()
        now = self._api.info()["SystemTime"] if rows else ""
        return tuple((volume_resource_from(row), age_of(row, now)) for row in rows)

    @translated
    def volume_labels(self, name: str) -> Mapping[str, str] | None:
        import docker.errors

        try:
            return self._api.inspect_volume(name).get("Labels") or {}
        except docker.errors.NotFound:
            return None

    @translated
    def network_subnets(self, project: str) -> Mapping[str, str]:
        return project_subnets_from(self._api.networks(filters={"label": [f"{PROJECT_LABEL}={project}"]}))

    @translated
    def subnets(self) -> tuple[IPv4Network, ...]:
        return subnets_from(self._api.networks())

    @translated
    def busy(self) -> int:
        return busy_from(self._api.containers())

    @translated
    def born(self) -> str:
        import docker.errors

        # Its default network is made anew whenever the daemon starts, unless containers outlive that.
        try:
            return str(self._api.inspect_network("bridge").get("Created") or "")
        except docker.errors.NotFound:
            return ""

    @translated
    def publishers(self) -> tuple[Publisher, ...]:
        return publishers_from(self._api.containers())

    @translated
    def writable_mounts(self) -> tuple[WritableMount, ...]:
        return writable_mounts_from(self._api.containers(), self._api.volumes().get("Volumes") or ())


def _filters(labels: Mapping[str, str]) -> list[str]:
    """As the engine is asked for all of ``labels``; an empty value stands for any."""
    return [f"{key}={value}" if value else key for key, value in labels.items()]

"""PURE: which containers of a created stack may start now, by the conditions of ``depends_on``.

Compose waits for conditions by looking every half second, and gives up on a dependency that crashes once. So
containers are created by Compose and started by us, in the order that Compose would.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from tasklib.stacks.engine.values import Container
from tasklib.stacks.rewrite import replica_count
from tasklib.stacks.starting.readiness import lost

__all__ = ["optional", "startable", "unmet"]


def startable(
    config: Mapping[str, Any], containers: Iterable[Container], pending: Collection[str]
) -> tuple[Container, ...]:
    """Those of ``containers`` whose ids are ``pending`` and whose dependencies are as they have to be."""
    present = tuple(containers)
    return tuple(
        container
        for container in present
        if container.id in pending and not any(unmet(config, container.service, present, pending))
    )


def unmet(
    config: Mapping[str, Any], service: str, containers: Iterable[Container], pending: Collection[str]
) -> Iterator[str]:
    """The services that ``service`` still waits for."""
    definition = config["services"].get(service, {})
    dependencies = definition.get("depends_on") or {}
    if not isinstance(dependencies, Mapping):
        dependencies = {name: {} for name in dependencies}
    # A namespace can be joined once its owner runs.
    joined = (str(definition.get(key) or "").partition(":") for key in ("network_mode", "ipc", "pid"))
    owners: dict[str, Any] = {name: {} for kind, _, name in joined if kind == "service"}
    present = tuple(containers)
    for name, dependency in {**owners, **dependencies}.items():
        if name not in config["services"] or not replica_count(config["services"][name]):
            continue
        condition = (dependency or {}).get("condition", "service_started")
        needed = [container for container in present if container.service == name]
        if not _is_required(dependency) and any(lost(c) for c in needed if c.id not in pending):
            continue
        if not needed or not all(_holds(condition, c, c.id in pending) for c in needed):
            yield name


def optional(config: Mapping[str, Any]) -> frozenset[str]:
    """The services that others depend on and all of them can do without (``required: false``)."""
    wanted: dict[str, bool] = {}
    for service in config["services"].values():
        dependencies = service.get("depends_on") or {}
        for name in dependencies:
            required = not isinstance(dependencies, Mapping) or _is_required(dependencies[name])
            wanted[name] = wanted.get(name, False) or required
    return frozenset(name for name, required in wanted.items() if not required)


def _is_required(dependency: Mapping[str, Any] | None) -> bool:
    return (dependency or {}).get("required") is not False


def _holds(condition: str, container: Container, is_pending: bool) -> bool:
    if is_pending:
        return False
    if condition == "service_healthy":
        return container.state == "running" and container.health in (None, "healthy")
    if condition == "service_completed_successfully":
        return container.state == "exited" and container.exit_code == 0
    return container.state in ("running", "restarting", "exited")

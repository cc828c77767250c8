"""Further replicas become services of their own.

Compose names replicas ``<project>-<service>-<n>``, a join that two branches can share, and a container_name
rules replicas out. So replica 2 of ``api`` is a service ``api.2`` that answers to the name ``api`` as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from typing import Any

from tasklib.stacks.labels import SERVICE
from tasklib.stacks.rewrite.draft import Draft

__all__ = ["copy_keys", "held_back", "hold_back", "replica_count", "spread_replicas"]

_RULE = "replicas"
_WHY = "every container has a name that no other branch can have, which Compose's names for replicas are not"


def replica_count(service: Mapping[str, Any]) -> int:
    """How many containers Compose would start for a service (long form)."""
    deploy = service.get("deploy") or {}
    if deploy.get("mode") in ("global", "global-job"):
        return 1
    for count in (service.get("scale"), deploy.get("replicas")):
        if count is not None:
            return int(count)
    return 1


def copy_keys(services: Mapping[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Service → the keys of the services that its further replicas become, where it has any."""
    taken = set(services)
    found: dict[str, list[str]] = {}
    for name, service in services.items():
        for number in range(2, replica_count(service) + 1):
            key = f"{name}.{number}"
            while key in taken:
                key += "-"
            taken.add(key)
            found.setdefault(name, []).append(key)
    return found


def held_back(
    services: Mapping[str, Any], inside: Iterable[str], tested: Collection[str], needs: Collection[str]
) -> frozenset[str]:
    """Those of ``inside``, in whose images commands of ours run, of which the stack itself has no container.

    That is what nobody waits for, and whose own command is the tests (``tested``), or which is not among
    the ``needs`` where those are named, or which serves nothing: it has no port and no health check.
    """
    awaited = {name for service in services.values() for name in service.get("depends_on") or ()}
    serving = ("ports", "expose", "healthcheck")

    def held(name: str) -> bool:
        if name not in services or name in awaited:
            return False
        if name in tested or needs:
            return name in tested or name not in needs
        return not any(services[name].get(key) for key in serving)

    return frozenset(filter(held, inside))


def hold_back(draft: Draft) -> None:
    """Let no container be made of a service that is there for the image that tests run in."""
    why = "tests run in a container of its image, beside the stack"
    for name, _ in draft.services():
        if name in draft.facts.held_back:
            draft.drop(("services", name, "deploy", "replicas"), _RULE, why)
            draft.put(("services", name, "scale"), 0, _RULE, why)


def spread_replicas(draft: Draft) -> None:
    """Replace replicas by copies of the service and let whoever waited for it wait for all of them."""
    services = draft.config["services"]
    copies = copy_keys(services)
    for name, keys in copies.items():
        service = services[name]
        draft.drop(("services", name, "scale"), _RULE, _WHY)
        draft.drop(("services", name, "deploy", "replicas"), _RULE, _WHY)
        for key in keys:
            services[key] = _copy(service, name)
            draft.copies[key] = name
            draft.record(("services", key), None, f"a copy of {name}", _RULE, _WHY)
    for name, service in draft.services():
        for needed, condition in list((service.get("depends_on") or {}).items()):
            for key in copies.get(needed, []):
                path = ("services", name, "depends_on", key)
                draft.put(
                    path,
                    deepcopy(condition),
                    _RULE,
                    f"what waits for {needed} waits for all of its containers",
                )


def _copy(service: dict[str, Any], name: str) -> dict[str, Any]:
    copy = deepcopy(service)
    # One container alone can have these.
    for key in ("container_name", "mac_address"):
        copy.pop(key, None)
    networks = copy.get("networks") or {}
    for key, attachment in networks.items():
        own = {k: v for k, v in (attachment or {}).items() if k not in _SINGLE}
        own["aliases"] = [*(own.get("aliases") or []), name]
        networks[key] = own
    labels = copy.setdefault("labels", {}) or {}
    copy["labels"] = {**labels, SERVICE: name}
    return copy


_SINGLE = ("ipv4_address", "ipv6_address", "mac_address", "link_local_ips")

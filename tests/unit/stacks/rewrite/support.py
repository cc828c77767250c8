"""Rendered configs in a few words, and views of isolated ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from tasklib.stacks.rewrite import Facts, Isolation, review

ROOT = "/checkout"
FACTS = Facts(checkout_root=ROOT)


def stack_of(services: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    """A rendered config: every service on the default network unless it says otherwise."""
    full = {}
    for name, service in services.items():
        full[name] = {"image": "app", "networks": {"default": None}, **service}
        if service.get("network_mode"):
            del full[name]["networks"]
    return {
        "name": "original",
        "services": full,
        "networks": {"default": {"name": "original_default"}},
        **sections,
    }


def one(
    service: dict[str, Any], *, facts: Facts = FACTS, stack: str | None = None, **sections: Any
) -> dict[str, Any]:
    """The isolated form of a single service called ``api``."""
    found: dict[str, Any] = reviewed({"api": service}, facts=facts, stack=stack, **sections).config[
        "services"
    ]["api"]
    return found


def reviewed(
    services: Mapping[str, Any],
    *,
    facts: Facts = FACTS,
    instance: str = "feature-auth",
    stack: str | None = None,
    **sections: Any,
) -> Isolation:
    return review(stack_of(services, **sections), instance, stack, facts=facts)


def claims(config: dict[str, Any]) -> set[tuple[str, str]]:
    """All that an isolated config takes of the machine: whoever takes one of these, nobody else can."""
    return set(_claims(config))


def _claims(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "project", config["name"]
    for service in config["services"].values():
        yield "container", service["container_name"]
        for port in service.get("ports") or []:
            if port.get("published") not in (None, "0"):
                yield "port", f"{port['published']}/{port['protocol']}"
        if build := service.get("build"):
            for tag in (service["image"], *(build.get("tags") or [])):
                yield "image", tag
    for kind in ("networks", "volumes", "configs", "secrets"):
        for part in (config.get(kind) or {}).values():
            if not part.get("external"):
                yield kind, part["name"]
    for network in (config.get("networks") or {}).values():
        for pool in (network.get("ipam") or {}).get("config") or []:
            yield "subnet", str(ip_network(pool["subnet"]))

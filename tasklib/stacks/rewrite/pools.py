"""PURE: the subnets of a stack's networks: how large they have to be, and all that moves with them."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Any

from tasklib.stacks.rewrite.addresses import (
    derived_subnet,
    derived_ula,
    move_ipv4,
    move_ipv6,
    move_range,
    offset,
    parse_address,
    parse_network,
)
from tasklib.stacks.rewrite.draft import Draft
from tasklib.stacks.rewrite.normal import long_form
from tasklib.stacks.rewrite.replicas import replica_count

__all__ = ["attachments", "ensure_default", "move_addresses", "subnet_sizes"]

_ADDRESSES = "addresses"
_BRIDGE = ("", "default", "bridge", "overlay", "nat")
_SMALLEST, _LARGEST_FOR_ADDRESSES, _LARGEST = 27, 24, 16


def subnet_sizes(config: Mapping[str, Any]) -> dict[str, int]:
    """Network key → prefix length of the IPv4 subnet it needs; networks that get none are left out.

    ``config`` is the rendered one. /27 holds 29 containers; more containers, or static addresses further up,
    take a larger one (for addresses up to /24: beyond, they move closer).
    """
    plain = long_form(config)
    ensure_default(plain)
    return {
        key: _prefix(plain, key, network)
        for key, network in (plain.get("networks") or {}).items()
        if _gets_subnet(key, network) and network.get("enable_ipv4") is not False
    }


def _gets_subnet(key: str, network: dict[str, Any]) -> bool:
    return not network.get("external") and str(network.get("driver") or "") in _BRIDGE


def _prefix(config: dict[str, Any], key: str, network: dict[str, Any]) -> int:
    members = sum(
        replica_count(service)
        for service in config["services"].values()
        if key in (service.get("networks") or {}) or (key == "default" and _on_docker0(service))
    )
    pools, ranges = _pools(network), []
    furthest = 0
    for entry in _ipam(network):
        found = parse_network(entry.get("ip_range"))
        if isinstance(found, IPv4Network) and pools:
            ranges.append(offset(found.network_address, pools) + found.num_addresses)
    for address in _static(config, key, network):
        furthest = max(furthest, offset(address, pools) + 2)
    for end in ranges:
        furthest = max(furthest, end)
    prefix = _SMALLEST
    while prefix > _LARGEST and (1 << (32 - prefix)) < members + 3 + len(_static(config, key, network)):
        prefix -= 1
    while prefix > _LARGEST_FOR_ADDRESSES and (1 << (32 - prefix)) < furthest:
        prefix -= 1
    return prefix


def ensure_default(config: dict[str, Any]) -> None:
    """Compose makes the default network without being told; here it is told."""
    used = {key for service in config["services"].values() for key in service.get("networks") or {}}
    if "default" in used or any(_on_docker0(service) for service in config["services"].values()):
        networks = config.get("networks") or {}
        networks.setdefault("default", {})
        config["networks"] = networks


def _on_docker0(service: dict[str, Any]) -> bool:
    return service.get("network_mode") in ("bridge", "default")


def _ipam(network: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(entry or {}) for entry in (network.get("ipam") or {}).get("config") or []]


def _pools(network: dict[str, Any]) -> list[IPv4Network]:
    found = (parse_network(entry.get("subnet")) for entry in _ipam(network))
    return [pool for pool in found if isinstance(pool, IPv4Network)]


def attachments(config: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    """Who is on the network ``key`` with settings of their own, and these."""
    return [
        (name, service["networks"][key])
        for name, service in config["services"].items()
        if (service.get("networks") or {}).get(key)
    ]


def _static(config: dict[str, Any], key: str, network: dict[str, Any]) -> list[IPv4Address]:
    texts = [attachment.get("ipv4_address") for _, attachment in attachments(config, key)]
    for entry in _ipam(network):
        texts += (entry.get("aux_addresses") or {}).values()
    found = (parse_address(text) for text in texts if text)
    return sorted({address for address in found if isinstance(address, IPv4Address)})


def move_addresses(draft: Draft, key: str, network: dict[str, Any]) -> None:
    """Give a network of the file a subnet of the stack's own, with all that names an address in it."""
    _move_ipv4(draft, key, network)
    _move_ipv6(draft, key, network)


def _move_ipv4(draft: Draft, key: str, network: dict[str, Any]) -> None:
    old = [entry for entry in _ipam(network) if _is_version(entry, 4)]
    pools, static = _pools(network), _static(draft.config, key, network)
    chosen = draft.facts.subnets.get(key)
    if chosen is None and static and _gets_subnet(key, network):
        # An address needs a subnet that the config names.
        identity = (draft.instance.host, draft.instance.checkout, draft.project, key)
        chosen = str(derived_subnet(_prefix(draft.config, key, network), *identity))
    others = [entry for entry in _ipam(network) if not _is_version(entry, 4)]
    path = ("networks", key, "ipam", "config")
    if chosen is None:
        if old:
            why = "a fixed subnet can be used once per machine; the engine chooses one"
            draft.put(path, others, _ADDRESSES, why) if others else draft.drop(path, _ADDRESSES, why)
            _note_subnets(draft, old, "whichever the engine chooses")
        return
    new = IPv4Network(chosen)
    first: dict[str, Any] = old[0] if old else {}
    gateway = parse_address(first.get("gateway"))
    moved, new_gateway = move_ipv4(static, pools, new, gateway if isinstance(gateway, IPv4Address) else None)
    pool: dict[str, Any] = {"subnet": str(new)}
    if new_gateway is not None:
        pool["gateway"] = str(new_gateway)
    ip_range = parse_network(first.get("ip_range"))
    if isinstance(ip_range, IPv4Network) and (place := move_range(ip_range, pools, new)) is not None:
        pool["ip_range"] = str(place)
    auxiliary = {
        host: str(moved[address])
        for host, text in (first.get("aux_addresses") or {}).items()
        if isinstance(address := parse_address(text), IPv4Address) and address in moved
    }
    if auxiliary:
        pool["aux_addresses"] = auxiliary
    draft.put(path, [pool, *others], _ADDRESSES, "a small subnet of this stack's own")
    _note_subnets(draft, old, str(new))
    for text in (first.get("aux_addresses") or {}).values():
        address = parse_address(text)
        if isinstance(address, IPv4Address) and address in moved:
            _note(draft, address, str(moved[address]))
    if isinstance(gateway, IPv4Address) and new_gateway is not None:
        _note(draft, gateway, str(new_gateway))
    for name, attachment in attachments(draft.config, key):
        address = parse_address(attachment.get("ipv4_address"))
        if not isinstance(address, IPv4Address):
            continue
        at = ("services", name, "networks", key, "ipv4_address")
        if address in moved:
            draft.put(at, str(moved[address]), _ADDRESSES, "the address moves with its subnet")
            _note(draft, address, str(moved[address]))
        else:
            draft.drop(at, _ADDRESSES, "the subnet has no room for it")


def _move_ipv6(draft: Draft, key: str, network: dict[str, Any]) -> None:
    old = [entry for entry in _ipam(network) if _is_version(entry, 6)]
    if not old and not any(found.get("ipv6_address") for _, found in attachments(draft.config, key)):
        return
    pools = [p for entry in old if isinstance(p := parse_network(entry.get("subnet")), IPv6Network)]
    new = derived_ula(draft.instance.host, draft.instance.checkout, draft.project, key)
    pool = {"subnet": str(new)}
    gateway = parse_address(old[0].get("gateway")) if old else None
    if gateway is not None and gateway.version == 6:
        pool["gateway"] = str(move_ipv6(gateway, pools, new))
    others = [entry for entry in _ipam(network) if not _is_version(entry, 6)]
    why = "a unique local subnet of this stack's own"
    draft.put(("networks", key, "ipam", "config"), [*others, pool], _ADDRESSES, why)
    _note_subnets(draft, old, str(new))
    for name, attachment in attachments(draft.config, key):
        address = parse_address(attachment.get("ipv6_address"))
        if address is not None and address.version == 6:
            moved = str(move_ipv6(address, pools, new))
            at = ("services", name, "networks", key, "ipv6_address")
            draft.put(at, moved, _ADDRESSES, "the address moves with its subnet")
            _note(draft, address, moved)


def _is_version(entry: dict[str, Any], version: int) -> bool:
    found = parse_network(entry.get("subnet")) or parse_address(entry.get("gateway"))
    return (found.version if found is not None else 4) == version


def _note(draft: Draft, old: Any, new: str) -> None:
    if str(old) != new:
        draft.moved[str(old)] = new


def _note_subnets(draft: Draft, old: list[dict[str, Any]], new: str) -> None:
    for entry in old:
        if (subnet := entry.get("subnet")) and str(subnet) != new:
            draft.moved_subnets[str(subnet)] = new

"""Networks of the stack's own; :mod:`~tasklib.stacks.rewrite.pools` gives them their subnets."""

from __future__ import annotations

from typing import Any

from tasklib.stacks.rewrite.draft import Draft
from tasklib.stacks.rewrite.names import kept_name
from tasklib.stacks.rewrite.pools import attachments, ensure_default, move_addresses
from tasklib.stacks.rewrite.projects import default_names, has_default_name

__all__ = ["join_own_networks", "own_networks"]

_RULE = "networks"
_LAN_DRIVERS = ("macvlan", "ipvlan")
_HOST_OPTIONS = ("com.docker.network.bridge.name", "com.docker.network.bridge.host_binding_ipv4")


def join_own_networks(draft: Draft) -> None:
    """Services on the engine's shared bridge, or on a network named by ``network_mode``, join the stack's."""
    networks = draft.section("networks").items()
    defaults = {
        name: key
        for key, network in networks
        if has_default_name(draft, key, network)
        for name in default_names(draft, key, joins="_")
    }
    named = defaults | {str(network["name"]): key for key, network in networks if network.get("name")}
    for name, service in draft.services():
        mode = str(service.get("network_mode") or "")
        path = ("services", name, "network_mode")
        if not mode or mode == "none" or mode.startswith(("service:", "container:")):
            continue
        if mode in ("bridge", "default") or mode in named:
            key = named.get(mode, "default")
            why = (
                "the engine's own bridge is shared by all"
                if key == "default"
                else "the network's key follows"
            )
            draft.drop(path, _RULE, why)
            draft.put(("services", name, "networks"), {key: None}, _RULE, why)
        elif mode == "host":
            _host(draft, path)
        elif mode not in draft.facts.shared.networks:
            _shared(draft, path, mode)
    ensure_default(draft.config)


def _host(draft: Draft, path: tuple[str | int, ...]) -> None:
    if not draft.facts.shared.host_network:
        draft.problem(
            path, "uses the host's network, with every port of it", _allow("shared.host-network = true")
        )


def _shared(draft: Draft, path: tuple[str | int, ...], name: str) -> None:
    draft.problem(
        path, f"uses the network {name}, which is not of this stack", _allow(f'shared.networks = ["{name}"]')
    )


def _allow(line: str) -> str:
    return f"allow it with `{line}` under [tool.tasklib] in pyproject.toml, or take it out of the test stack"


def own_networks(draft: Draft) -> None:
    """Every network of the file gets a name, labels and a subnet of its own."""
    for key, network in list(draft.section("networks").items()):
        path = ("networks", key)
        name, driver = str(network.get("name") or key), str(network.get("driver") or "")
        if network.get("external"):
            if name == "host":
                _host(draft, path)
            elif name != "none" and not {key, name} & draft.facts.shared.networks:
                _shared(draft, path, name)
            _point_out_static(draft, key, name)
            continue
        if driver == "host":
            _host(draft, path)
            continue
        if driver in ("none", "null"):
            continue
        if driver in _LAN_DRIVERS and not {key, name} & draft.facts.shared.networks:
            draft.problem(
                path,
                f"is a {driver} network on the host's own LAN",
                _allow(f'shared.networks = ["{key}"]'),
            )
        _own(draft, key, network)


def _point_out_static(draft: Draft, key: str, name: str) -> None:
    for service, attachment in attachments(draft.config, key):
        for field in ("ipv4_address", "ipv6_address"):
            if address := attachment.get(field):
                what = f"asks for {address} on the network {name}, which only one instance at a time can have"
                draft.hint(service, f"networks.{key}.{field}", what)


def _own(draft: Draft, key: str, network: dict[str, Any]) -> None:
    path = ("networks", key)
    new = kept_name(draft, "networks", key, "name") or draft.name(key)
    if network.get("name") not in (None, new):
        draft.renamed[str(network["name"])] = new
    if has_default_name(draft, key, network):
        draft.renamed |= dict.fromkeys(default_names(draft, key, joins="_"), new)
    draft.put((*path, "name"), new, _RULE, "a network of this stack alone")
    if network.get("driver") == "overlay":
        why = "one engine carries the stack; overlay networks need a swarm"
        draft.drop((*path, "driver"), _RULE, why)
        draft.drop((*path, "driver_opts"), _RULE, why)
    for option in _HOST_OPTIONS:
        draft.drop((*path, "driver_opts", option), _RULE, "it names something on the host, where it is taken")
    if network.get("driver") in _LAN_DRIVERS:
        return  # Its addresses are the LAN's; there is a problem instead.
    move_addresses(draft, key, network)

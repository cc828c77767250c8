"""Values that still say what is somewhere else now: a fixed host port, an old address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tasklib.stacks.rewrite.draft import Draft
from tasklib.stacks.rewrite.ports import port_variable
from tasklib.stacks.rewrite.stores import holds_data
from tasklib.stacks.rewrite.values import HEALTH_CHECK, used_contents, values

__all__ = ["follow_addresses", "point_out"]

_HOST_PORT = re.compile(
    r"(?<![\w.-])(localhost|127(?:\.\d{1,3}){3}|\[::1\]|host\.docker\.internal):(\d{1,5})(?!\d)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:]))"
    r"(?:/\d{1,3}(?!\d))?"
)

_ADVERTISED = re.compile(
    r"advertise|announce|issuer|hostname|redirect|callback|origin"
    r"|(server|external|public|root|site|frontend|base|app|web|auth|canonical|return)_?(ur[il]|host|endpoint)",
    re.IGNORECASE,
)
"""What a server tells its clients: the address that they go on with, outside of its container too."""

_ADVERTISED_PORT = re.compile(
    r"(?:advertise|announce|external|public|hostname)[\w.-]*port[\s=:\"']+(\d{1,5})(?!\d)", re.IGNORECASE
)
"""The same where the port is told apart from the host."""

_MAY_BE_TOLD = re.compile(r"(ur[il]|host|endpoint|address)$", re.IGNORECASE)
"""Names of what may be told to clients, or be there for the server itself."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def follow_addresses(draft: Draft) -> None:
    """Name servers and host entries are addresses and nothing else: they move with them."""
    for name, service in draft.services():
        for index, server in enumerate(service.get("dns") or []):
            if new := draft.moved.get(str(server)):
                draft.put(("services", name, "dns", index), new, "addresses", "the address moved")
        for index, entry in enumerate(service.get("extra_hosts") or []):
            host, separator, address = _host_entry(str(entry))
            if new := draft.moved.get(address):
                path = ("services", name, "extra_hosts", index)
                draft.put(path, f"{host}{separator}{new}", "addresses", "the address moved")


def _host_entry(entry: str) -> tuple[str, str, str]:
    separator = "=" if "=" in entry else ":"
    host, found, address = entry.partition(separator)
    return host, found, address.strip("[]")


def point_out(draft: Draft) -> None:
    """Find values that name a host port the stack no longer has, or an address that moved, or are missing."""
    _point_out_unset(draft)
    for name, service in draft.services():
        if name in draft.copies:
            continue
        for variable, text in (*values(service), *used_contents(draft.config, service)):
            for host, number in _HOST_PORT.findall(text):
                if variable != HEALTH_CHECK or not _is_loopback(host):  # It runs inside.
                    _point_out_port(draft, name, variable, text, host, int(number))
            for number in _ADVERTISED_PORT.findall(f"{variable}={text}"):
                if draft.published.get(int(number), ("",))[0] == _network_owner(draft, name):
                    _point_out_port(draft, name, variable, text, "localhost", int(number))
            for found in _ADDRESS.findall(text):
                _point_out_address(draft, name, variable, found)
            for volume in _WORD.findall(text):
                if new := draft.renamed_volumes.get(volume):
                    draft.hint(name, variable, f"names the volume {volume}, which is {new} in this stack")
        for variable, network in _networks_named(service):
            if new := draft.renamed.get(network):
                draft.hint(name, variable, f"names the network {network}, which is {new} in this stack")
        for index, mount in enumerate(service.get("volumes") or []):
            if mount.get("type") == "bind" and holds_data(service, mount):
                what = f"{mount.get('source')}: every stack of this checkout has its data there"
                draft.hint(name, f"volumes[{index}]", what)
        _point_out_unreachable(draft, name, service)
        if service.get("privileged"):
            draft.hint(
                name, "privileged", "can change the machine itself, and so what other instances run on"
            )


def _point_out_unset(draft: Draft) -> None:
    for name, where in draft.facts.unset.items():
        draft.hint(where, f"${{{name}}}", "is not set and has no default, so it is empty", loud=True)


def _point_out_unreachable(draft: Draft, name: str, service: dict[str, Any]) -> None:
    """The engine publishes no port of a container that is on internal networks alone."""
    networks = [draft.section("networks").get(key) or {} for key in service.get("networks") or {}]
    if service.get("ports") and networks and all(network.get("internal") for network in networks):
        what = "cannot be reached from outside: all networks of the service are `internal: true`"
        draft.hint(name, "ports", what)


def _point_out_address(draft: Draft, name: str, variable: str, found: str) -> None:
    if new := draft.moved_subnets.get(found):
        draft.hint(name, variable, f"names the subnet {found}, which is {new} in this stack")
    address = found.partition("/")[0]
    if new := draft.moved.get(address):
        draft.hint(name, variable, f"names the address {address}, which is {new} in this stack")


def _point_out_port(draft: Draft, name: str, variable: str, text: str, host: str, number: int) -> None:
    if (found := draft.published.get(number)) is None:
        return
    owner, target = found
    if _is_loopback(host) and _network_owner(draft, name) == owner and str(target) == str(number):
        # The container itself listens there as before; whom it tells to come there finds nothing.
        told = _ADVERTISED.search(text if variable in ("command", "entrypoint") else variable)
        if told or _MAY_BE_TOLD.search(variable):
            draft.hint(
                name,
                variable,
                f"tells clients to connect to {host}:{number}, but the host port is another one here; "
                f"write `${{{port_variable(owner, target)}}}` for its number",
                loud=told is not None,
            )
        return
    draft.hint(
        name,
        variable,
        f"names {host}:{number}, but the host port of {owner} is another one here; "
        f"write `${{{port_variable(owner, target)}}}` for its number",
    )


def _is_loopback(host: str) -> bool:
    return host.lower() != "host.docker.internal"


def _network_owner(draft: Draft, name: str) -> str:
    """The service whose network, loopback included, a service is in; mostly its own."""
    seen: set[str] = set()
    while name in draft.config["services"] and name not in seen:
        seen.add(name)
        kind, _, other = str(draft.config["services"][name].get("network_mode") or "").partition(":")
        if kind != "service":
            break
        name = other
    return name


def _networks_named(service: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Values that are, or end in ``=``, what may be the name of a network; plain words are too common."""
    for key, value in values(service):
        if key.startswith("labels.") or key in ("command", "entrypoint") or "network" in key.lower():
            yield from ((key, part.rpartition("=")[2]) for part in value.split())

"""Static addresses keep their place in another subnet, or get one there. Plain arithmetic on addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = [
    "derived_subnet",
    "derived_ula",
    "move_ipv4",
    "move_ipv6",
    "move_range",
    "offset",
    "parse_address",
    "parse_network",
]


def parse_address(text: object) -> IPv4Address | IPv6Address | None:
    """An address with or without a prefix length; ``None`` for anything else."""
    try:
        return ip_address(str(text).partition("/")[0])
    except ValueError:
        return None


def parse_network(text: object) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(str(text), strict=False)
    except ValueError:
        return None


def offset(address: IPv4Address, pools: Sequence[IPv4Network]) -> int:
    """How far an address is from the start of the declared subnet it is in (else: from its /24)."""
    home = next((pool for pool in pools if address in pool), None) or IPv4Network((int(address), 24), False)
    return int(address) - int(home.network_address)


def move_ipv4(
    addresses: Iterable[IPv4Address],
    pools: Sequence[IPv4Network],
    new: IPv4Network,
    gateway: IPv4Address | None,
) -> tuple[dict[IPv4Address, IPv4Address], IPv4Address | None]:
    """Old address → its place in ``new``, and the gateway's; never two in one place.

    The offset is kept where it fits. Other addresses come from the top, since the engine hands out dynamic
    ones from the bottom. An address for which there is no room at all is left out.
    """
    last = new.num_addresses - 1
    moved: dict[IPv4Address, IPv4Address] = {}
    at_gateway: int | None = None
    if gateway is not None:
        wanted = offset(gateway, pools)
        at_gateway = wanted if 0 < wanted < last else 1
    # Without a declared one, the engine takes the first address that nothing declares.
    taken = {0, last, 1 if at_gateway is None else at_gateway}
    homeless = []
    for address in sorted(set(addresses)):
        wanted = offset(address, pools)
        if wanted in taken or wanted > last:
            homeless.append(address)
        else:
            taken.add(wanted)
            moved[address] = new[wanted]
    free = (place for place in range(last - 1, 0, -1) if place not in taken)
    for address, place in zip(homeless, free, strict=False):
        moved[address] = new[place]
    return moved, new[at_gateway] if at_gateway is not None else None


def move_range(old: IPv4Network, pools: Sequence[IPv4Network], new: IPv4Network) -> IPv4Network | None:
    """``ip_range`` at the same place of ``new``; ``None`` where it does not fit."""
    start = offset(old.network_address, pools)
    if old.prefixlen <= new.prefixlen or start + old.num_addresses > new.num_addresses:
        return None
    return IPv4Network((int(new.network_address) + start, old.prefixlen), strict=False)


def move_ipv6(address: IPv6Address, pools: Sequence[IPv6Network], new: IPv6Network) -> IPv6Address:
    """The address with the same last 64 bits (or offset in a smaller subnet) in ``new``, a /64."""
    home = next((pool for pool in pools if address in pool), None)
    start = int(home.network_address) if home is not None and home.prefixlen > 64 else 0
    return new[(int(address) - start) & ((1 << 64) - 1)]


def derived_ula(*identity: str) -> IPv6Network:
    """A unique local /64 that only this identity has: 56 bits of a hash."""
    return IPv6Network(((0xFD << 120) | (_digest(identity, 56) << 64), 64))


def derived_subnet(prefix: int, *identity: str) -> IPv4Network:
    """A private subnet for when nobody chose one; two identities have different ones, but for bad luck."""
    return IPv4Network(((10 << 24) | (_digest(identity, prefix - 8) << (32 - prefix)), prefix))


def _digest(identity: Iterable[str], bits: int) -> int:
    digest = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest, "big") & ((1 << bits) - 1)

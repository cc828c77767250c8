"""Small explicit subnets for the networks of test stacks.

The engine's own pools hold about thirty networks; a /27 a network leaves room for thousands.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from pathlib import Path

from tasklib.errors import StackError
from tasklib.options.caller import hint

__all__ = ["choose", "host_routes"]

# Private ranges (RFC 1918) that neither the engine's default pools (172.17.0.0/16 to 172.31.0.0/16 and
# 192.168.0.0/16) nor the usual defaults of Kubernetes and VPN products start with; the last one is the
# range of RFC 2544, for machines whose routes cover all of 10.0.0.0/8.
_POOLS = tuple(
    IPv4Network(text) for text in ("10.201.0.0/16", "10.117.0.0/16", "172.16.0.0/16", "198.18.0.0/15")
)


def choose(
    sizes: Mapping[str, int],
    taken: Iterable[IPv4Network],
    *,
    seed: str = "",
    pools: Iterable[IPv4Network] = _POOLS,
) -> dict[str, str]:
    """A free subnet for each network key of ``sizes`` (key → prefix length).

    Nothing of ``taken`` and no two answers overlap. ``seed`` spreads the starting point, so that those who
    choose at the same moment without knowing of each other seldom want the same. Raises
    :class:`~tasklib.errors.StackError` when nothing is left.
    """
    busy = list(taken)
    # A route to all of 10.0.0.0/8 is common: nothing in there is worth a look.
    pools = [pool for pool in pools if not any(pool.subnet_of(other) for other in busy)]
    chosen: dict[str, str] = {}
    for key, prefix in sizes.items():
        free = next((net for net in _candidates(prefix, seed + key, pools) if _is_free(net, busy)), None)
        if free is None:
            raise StackError(
                f"no free /{prefix} subnet is left for network {key}",
                remedy=f"Other stacks use them all: `{hint('clean.stale')}` shows which ones can be removed.",
            )
        busy.append(free)
        chosen[key] = str(free)
    return chosen


def _candidates(prefix: int, seed: str, pools: Iterable[IPv4Network]) -> Iterator[IPv4Network]:
    start = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogateescape")).digest()[:4], "big")
    for pool in pools:
        count = 2 ** max(0, prefix - pool.prefixlen)
        for step in range(count):
            offset = ((start + step) % count) << (32 - prefix)
            yield IPv4Network((int(pool.network_address) + offset, prefix), strict=False)


def _is_free(network: IPv4Network, busy: Iterable[IPv4Network]) -> bool:
    return not any(network.overlaps(other) for other in busy)


def host_routes(table: Path = Path("/proc/net/route")) -> tuple[IPv4Network, ...]:
    """Where this machine sends packets already, the default route left out.

    Reads the kernel's table (``Documentation/networking/proc_net_tcp`` conventions: little-endian
    hexadecimal); empty on systems without it, whose engines run in a machine of their own.
    """
    try:
        rows = table.read_text().splitlines()[1:]
    except OSError:
        return ()
    found = []
    for row in rows:
        fields = row.split()
        if len(fields) < 8:
            continue
        address, mask = (socket.inet_ntoa(struct.pack("<L", int(fields[i], 16))) for i in (1, 7))
        network = ipaddress.IPv4Network((address, mask), strict=False)
        if network.prefixlen:
            found.append(network)
    return tuple(found)

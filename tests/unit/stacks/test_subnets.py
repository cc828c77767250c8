"""Small explicit subnets: free ones, whatever is taken."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.errors import StackError
from tasklib.stacks.subnets import choose, host_routes

from ...examples import examples

KEYS = st.text("abcdefghijklmnop-_.", min_size=1, max_size=8)
SIZES = st.dictionaries(KEYS, st.integers(22, 29), max_size=12)
NETWORKS = st.builds(
    lambda address, prefix: IPv4Network((address, prefix), strict=False),
    st.integers(int(IPv4Network("10.0.0.0/8")[0]), int(IPv4Network("10.255.255.255/32")[0])),
    st.integers(9, 30),
)


@examples(0.6)
@given(SIZES, st.lists(NETWORKS, max_size=20), st.text(max_size=10))
def test_what_is_chosen_is_free_and_apart(sizes: dict[str, int], taken: list[IPv4Network], seed: str) -> None:
    """One private subnet of the asked size for each key; none overlaps another or what is taken."""
    chosen = choose(sizes, taken, seed=seed)
    networks = {key: IPv4Network(text) for key, text in chosen.items()}
    assert {key: network.prefixlen for key, network in networks.items()} == sizes
    assert all(network.is_private for network in networks.values())
    assert not any(one.overlaps(other) for one, other in combinations(networks.values(), 2))
    assert not any(network.overlaps(other) for network in networks.values() for other in taken)


def test_who_chooses_at_the_same_moment_seldom_wants_the_same() -> None:
    """Fifty who know nothing of each other spread over the pool."""
    wanted = {choose({"default": 27}, [], seed=f"test-{number}")["default"] for number in range(50)}
    assert len(wanted) > 40


def test_hundreds_of_networks_fit() -> None:
    """Far more than the engine's own thirty."""
    taken: list[IPv4Network] = []
    for number in range(300):
        taken.append(IPv4Network(choose({"default": 27}, taken, seed=str(number))["default"]))
    assert len(set(taken)) == 300


def test_a_full_pool_is_told_with_the_way_out() -> None:
    """Nothing is taken twice; the message names the network."""
    pools = (IPv4Network("10.9.0.0/28"),)
    assert choose({"a": 29, "b": 29}, [], pools=pools).keys() == {"a", "b"}
    with pytest.raises(StackError, match=r"no free /29 subnet is left for network c") as caught:
        choose({"a": 29, "b": 29, "c": 29}, [], pools=pools)
    assert "clean.stale" in str(caught.value)


def test_routes_are_read_from_the_kernels_table(tmp_path: Path) -> None:
    """Little-endian hexadecimal; the default route is everywhere and counts for nothing."""
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "vpn0\t0000C90A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        "broken\n"
    )
    assert host_routes(table) == (IPv4Network("192.168.1.0/24"), IPv4Network("10.201.0.0/16"))
    assert host_routes(tmp_path / "none") == ()

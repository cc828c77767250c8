"""Networks, subnets and static addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasklib.project import Shared
from tasklib.stacks.rewrite import isolate, subnet_sizes
from tasklib.stacks.rewrite.addresses import move_ipv4

from .support import FACTS, reviewed, stack_of


def test_every_network_gets_a_name_of_its_own() -> None:
    """Fixed, default and unnamed networks are named after the stack; drivers and options stay."""
    networks = {
        "front": {"name": "fixed", "internal": True, "attachable": True, "driver": "bridge"},
        "back": {"driver_opts": {"com.docker.network.driver.mtu": "1400"}},
    }
    found = reviewed(
        {"api": {"networks": {"front": None, "back": None}}, "web": {}}, networks=networks
    ).config["networks"]
    assert {key: network["name"] for key, network in found.items()} == {
        key: f"test-feature-auth.{key}" for key in ("front", "back", "default")
    }
    front = {key: found["front"][key] for key in ("internal", "attachable", "driver")}
    assert front == {"internal": True, "attachable": True, "driver": "bridge"}
    assert found["back"]["driver_opts"] == {"com.docker.network.driver.mtu": "1400"}


def test_what_names_a_part_of_the_host_is_left_out() -> None:
    """A fixed bridge name or binding address on the host can be had once."""
    options = {
        "com.docker.network.bridge.name": "br0",
        "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
        "com.docker.network.bridge.enable_icc": "true",
    }
    found = reviewed({"api": {}}, networks={"default": {"driver_opts": options}}).config["networks"][
        "default"
    ]
    assert found["driver_opts"] == {"com.docker.network.bridge.enable_icc": "true"}


def test_an_overlay_network_is_a_bridge_on_one_engine() -> None:
    """Overlay networks need a swarm; one engine carries the whole stack."""
    networks = {"default": {"driver": "overlay", "driver_opts": {"encrypted": ""}, "attachable": True}}
    found = reviewed({"api": {}}, networks=networks).config["networks"]["default"]
    assert "driver" not in found
    assert "driver_opts" not in found


@pytest.mark.parametrize("mode", ["bridge", "default"])
def test_the_engines_own_bridge_is_left_for_the_stacks(mode: str) -> None:
    """A service on the bridge that all containers share joins its stack's default network instead."""
    config = reviewed({"api": {"network_mode": mode, "ports": ["80:80"]}}).config
    service = config["services"]["api"]
    assert service["networks"] == {"default": None}
    assert "network_mode" not in service
    assert service["ports"][0]["target"] == 80


def test_a_network_named_by_network_mode_is_found_in_the_file() -> None:
    """`network_mode: <name>` of a network of the file becomes membership in it."""
    found = reviewed({"api": {"network_mode": "fixed"}, "web": {}}, networks={"front": {"name": "fixed"}})
    assert found.config["services"]["api"]["networks"] == {"front": None}
    assert not found.problems


@pytest.mark.parametrize(
    ("service", "networks"),
    [
        ({"network_mode": "host"}, {}),
        ({"network_mode": "theirs"}, {}),
        ({}, {"default": {"external": True, "name": "proxy"}}),
        ({}, {"default": {"external": {"name": "proxy"}}}),
        ({}, {"default": {"external": True, "name": "host"}}),
        ({}, {"default": {"driver": "host"}}),
        ({}, {"default": {"driver": "macvlan", "driver_opts": {"parent": "eth0"}}}),
        ({}, {"default": {"driver": "ipvlan"}}),
    ],
)
def test_networks_of_others_are_a_problem_unless_shared(service: Any, networks: Any) -> None:
    """The host's network, its LAN and external networks are refused; `shared` allows them, untouched."""
    [problem] = reviewed({"api": service}, networks=networks).problems
    assert "shared." in problem.remedy
    shared = Shared(networks=frozenset({"proxy", "theirs", "default"}), host_network=True)
    allowed = reviewed({"api": service}, networks=networks, facts=replace(FACTS, shared=shared))
    assert not allowed.problems
    if networks.get("default", {}).get("external"):
        assert "labels" not in allowed.config["networks"]["default"]
        assert not allowed.config["networks"]["default"]["name"].startswith("test-")


def static(address: str, subnet: str, **entry: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    services = {"api": {"networks": {"net": {"ipv4_address": address}}}}
    return services, {"net": {"ipam": {"config": [{"subnet": subnet, **entry}]}}}


def test_static_addresses_move_with_their_subnet() -> None:
    """Address, gateway, range and auxiliary addresses keep their offset in the chosen subnet."""
    services, networks = static(
        "172.20.0.5",
        "172.20.0.0/24",
        gateway="172.20.0.254",
        ip_range="172.20.0.128/26",
        aux_addresses={"r": "172.20.0.9"},
    )
    facts = replace(FACTS, subnets={"net": "10.1.2.0/24"})
    config = reviewed(services, networks=networks, facts=facts).config
    assert config["services"]["api"]["networks"]["net"]["ipv4_address"] == "10.1.2.5"
    assert config["networks"]["net"]["ipam"]["config"] == [
        {
            "subnet": "10.1.2.0/24",
            "gateway": "10.1.2.254",
            "ip_range": "10.1.2.128/26",
            "aux_addresses": {"r": "10.1.2.9"},
        }
    ]


def test_addresses_that_do_not_fit_get_another_place() -> None:
    """An offset beyond the new subnet ends at its top, where the engine hands out last; one stays one."""
    services = {
        "a": {"networks": {"net": {"ipv4_address": "172.20.7.1"}}},
        "b": {"networks": {"net": {"ipv4_address": "172.20.0.3"}}},
        "c": {"networks": {"net": {"ipv4_address": "172.20.7.1"}}},
    }
    networks = {"net": {"ipam": {"config": [{"subnet": "172.20.0.0/16"}]}}}
    facts = replace(FACTS, subnets={"net": "10.1.2.32/27"})
    found = reviewed(services, networks=networks, facts=facts).config["services"]
    got = {name: found[name]["networks"]["net"]["ipv4_address"] for name in "abc"}
    assert got == {"a": "10.1.2.62", "b": "10.1.2.35", "c": "10.1.2.62"}


def test_without_a_chosen_subnet_fixed_ones_go_and_static_addresses_get_one() -> None:
    """No chosen subnet: the engine chooses, but static addresses get one that differs by instance."""
    networks = {"net": {"ipam": {"config": [{"subnet": "172.20.0.0/24"}]}}}
    dynamic = reviewed({"api": {"networks": {"net": None}}}, networks=networks).config["networks"]["net"]
    assert not dynamic["ipam"].get("config")
    services, networks = static("172.20.0.5", "172.20.0.0/24")
    found = []
    for instance in ("a", "b"):
        config = reviewed(services, networks=networks, instance=instance).config
        [pool] = config["networks"]["net"]["ipam"]["config"]
        address = config["services"]["api"]["networks"]["net"]["ipv4_address"]
        assert ip_address(address) in ip_network(pool["subnet"])
        assert ip_network(pool["subnet"]).is_private
        found.append(pool["subnet"])
    assert found[0] != found[1]


def test_ipv6_moves_to_a_unique_local_subnet() -> None:
    """Two instances get different local subnets; addresses keep their last half."""
    services = {"api": {"networks": {"net": {"ipv6_address": "2001:db8::10"}}}}
    networks = {
        "net": {
            "enable_ipv6": True,
            "ipam": {"config": [{"subnet": "2001:db8::/64", "gateway": "2001:db8::1"}]},
        }
    }
    pools = []
    for instance in ("a", "b"):
        config = reviewed(services, networks=networks, instance=instance).config
        [pool] = config["networks"]["net"]["ipam"]["config"]
        address = config["services"]["api"]["networks"]["net"]["ipv6_address"]
        assert ip_address(address) in ip_network(pool["subnet"])
        assert address.endswith("::10")
        assert pool["gateway"].endswith("::1")
        pools.append(pool["subnet"])
    assert pools[0] != pools[1]


def test_dns_and_host_entries_follow_addresses() -> None:
    """Where a value is an address and nothing else, it moves; environment and commands are pointed out."""
    services, networks = static("172.20.0.5", "172.20.0.0/24", gateway="172.20.0.1")
    services["web"] = {
        "networks": {"net": None},
        "dns": ["172.20.0.5", "1.1.1.1"],
        "extra_hosts": ["api.local=172.20.0.5", "x:172.20.0.50", "host.docker.internal=host-gateway"],
        "environment": {"UPSTREAM": "http://172.20.0.5:80", "OTHER": "172.20.0.50", "WIDE": "1172.20.0.5"},
        "command": ["--peer", "172.20.0.5"],
    }
    facts = replace(FACTS, subnets={"net": "10.1.2.0/24"})
    found = reviewed(services, networks=networks, facts=facts)
    web = found.config["services"]["web"]
    assert web["dns"] == ["10.1.2.5", "1.1.1.1"]
    assert web["extra_hosts"] == ["api.local=10.1.2.5", "x:172.20.0.50", "host.docker.internal=host-gateway"]
    assert web["environment"] == services["web"]["environment"]
    assert {(hint.service, hint.variable) for hint in found.hints} == {
        ("web", "UPSTREAM"),
        ("web", "command"),
    }
    assert all("10.1.2.5" in hint.what for hint in found.hints)


def test_subnets_are_as_small_as_they_can_be() -> None:
    """/27 unless members, static addresses or a range need more; what gets no subnet is not mentioned."""
    services = {
        "a": {"networks": {"small": None, "far": {"ipv4_address": "172.20.0.100"}, "ext": None, "lan": None}},
        "b": {
            "networks": {"crowd": None, "vast": {"ipv4_address": "172.21.9.9"}, "ranged": None},
            "scale": 100,
        },
        "c": {"network_mode": "bridge"},
    }
    networks = {
        "small": {},
        "crowd": None,
        "ext": {"external": True},
        "lan": {"driver": "macvlan"},
        "far": {"ipam": {"config": [{"subnet": "172.20.0.0/24"}]}},
        "vast": {"ipam": {"config": [{"subnet": "172.21.0.0/16"}]}},
        "ranged": {"ipam": {"config": [{"subnet": "172.22.0.0/24", "ip_range": "172.22.0.128/25"}]}},
    }
    assert subnet_sizes(stack_of(services, networks=networks)) == {
        "small": 27,
        "crowd": 25,
        "far": 25,
        "vast": 24,
        "ranged": 24,
        "default": 27,
    }


offsets = st.lists(st.integers(0, 2000), max_size=25)


@given(offsets, st.one_of(st.none(), st.integers(0, 2000)), st.integers(20, 27))
def test_moved_addresses_never_meet(places: list[int], gateway: int | None, prefix: int) -> None:
    """Different addresses get different usable ones, not the gateway's; what fits keeps its offset."""
    old, new = IPv4Network("172.16.0.0/20"), IPv4Network((10 << 24, prefix))
    addresses = {old[place] for place in places}
    moved, at = move_ipv4(addresses, [old], new, None if gateway is None else old[gateway])
    assert set(moved) == addresses
    ends = {new.network_address, new.broadcast_address}
    assert all(place in new and place not in ends for place in moved.values())
    assert len(set(moved.values())) == len(moved)
    assert (at or IPv4Address("10.0.0.1")) not in moved.values()
    for address, place in moved.items():
        wanted = int(address) - int(old.network_address)
        if 0 < wanted < new.num_addresses - 1 and new[wanted] != (at or new[1]):
            assert place == new[wanted]


def test_the_default_network_is_explicit_where_the_file_names_none() -> None:
    """Compose would call it after the project, in the join that two branches share."""
    config = isolate({"services": {"api": {"image": "x"}}}, "main", "db")
    assert config["networks"]["default"]["name"] == "test-main_db.default"
    assert config["name"] == "test-main_db"

"""What holds for every config, whatever it is made of."""

from __future__ import annotations

import copy
import ipaddress
import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasklib.stacks.rewrite import Facts, isolate, review, subnet_sizes
from tasklib.stacks.rewrite.normal import long_form

from ....examples import examples
from .generated import compose_files, stacks
from .support import claims

facts = st.builds(
    Facts,
    start_interval=st.booleans(),
    cpus=st.integers(1, 64),
    kept=st.booleans(),
    checkout_root=st.sampled_from([None, "/checkout"]),
)


def with_subnets(facts: Facts, config: dict[str, Any], number: int) -> Facts:
    """``facts`` with a subnet of stack ``number``'s own for every network that needs one."""
    sizes = sorted(subnet_sizes(config).items())
    subnets = {key: f"10.{number}.{index}.0/{max(size, 24)}" for index, (key, size) in enumerate(sizes)}
    return replace(facts, subnets=subnets)


@given(compose_files(), stacks, stacks, facts, st.booleans())
@examples(0.5)
def test_two_stacks_share_nothing(file: Any, one: Any, other: Any, facts: Facts, chosen: bool) -> None:
    """Two instances or stacks of any file take no port, name, subnet, volume or built image of each other."""
    assume(one != other)
    pair = []
    for number, (instance, stack) in enumerate((one, other)):
        known = with_subnets(facts, file, number) if chosen else facts
        pair.append(review(file, instance, stack, facts=known))
    first, second = (claims(isolation.config) for isolation in pair)
    assert not first & second
    assert not set(pair[0].built_images) & set(pair[1].built_images)
    pools = [[ipaddress.ip_network(s) for kind, s in found if kind == "subnet"] for found in (first, second)]
    if chosen:
        assert not any(a.overlaps(b) for a in pools[0] for b in pools[1] if a.version == b.version)


@given(compose_files(), stacks, facts)
@examples(0.5)
def test_isolating_twice_is_isolating_once(file: Any, stack: Any, facts: Facts) -> None:
    """An isolated config is a fixed point, the same each time, JSON, and the input is left alone."""
    before = copy.deepcopy(file)
    known = with_subnets(facts, file, 1)
    first = review(file, *stack, facts=known)
    assert file == before
    assert json.loads(json.dumps(first.config)) == first.config
    assert review(file, *stack, facts=known) == first
    again = review(first.config, *stack, facts=known)
    assert again.config == first.config
    assert again.changes == ()
    assert again.built_images == first.built_images


@given(compose_files(), stacks, facts)
@examples(0.5)
def test_nothing_fixed_is_left(file: Any, stack: Any, facts: Facts) -> None:
    """No host port, loopback alone, no service without a name of its own, no name twice."""
    config = isolate(file, *stack, facts=facts)
    names = [service["container_name"] for service in config["services"].values()]
    assert len(set(names)) == len(names)
    assert all(name.startswith(f"{config['name']}.") for name in names)
    for service in config["services"].values():
        ports = service.get("ports") or []
        assert all(port["host_ip"] == "127.0.0.1" and "published" not in port for port in ports)
        assert len({(port["target"], port["protocol"]) for port in map(plain, ports)}) == len(ports)
        assert (service.get("restart") or "no").startswith(("no", "on-failure:"))
        assert all(mount.get("source") for mount in service.get("volumes") or [])
        assert set(service.get("networks") or {}) <= set(config["networks"])


@given(compose_files(), stacks, facts)
@examples(0.5)
def test_the_inside_stays(file: Any, stack: Any, facts: Facts) -> None:
    """What a container sees is unchanged: environment, commands, names it answers to, ports, order."""
    original, isolated = long_form(file), isolate(file, *stack, facts=facts)
    for name, service in original["services"].items():
        found = isolated["services"][name]
        for key in (
            "environment",
            "command",
            "entrypoint",
            "hostname",
            "user",
            "tmpfs",
            "devices",
            "init",
            "expose",
        ):
            assert found.get(key) == service.get(key), key
        if (check := service.get("healthcheck")) is not None:
            assert found["healthcheck"].get("test") == check.get("test")
        assert targets(found) == targets(service)
        for key, attachment in (service.get("networks") or {}).items():
            inside = set((attachment or {}).get("aliases") or [])
            if service.get("container_name"):
                inside.add(service["container_name"])
            assert inside <= set((found["networks"][key] or {}).get("aliases") or [])
        for key, condition in (service.get("depends_on") or {}).items():
            assert found["depends_on"][key] == condition
        mounted = {mount["target"] for mount in service.get("volumes") or []}
        assert mounted <= {mount["target"] for mount in found.get("volumes") or []}


@given(compose_files(), stacks, facts)
@examples(0.5)
def test_addresses_lie_in_their_subnets(file: Any, stack: Any, facts: Facts) -> None:
    """The sizes that networks are said to need are enough, and nothing in them meets."""
    config = isolate(file, *stack, facts=with_subnets(facts, file, 3))
    for key, network in config["networks"].items():
        pools = (network.get("ipam") or {}).get("config") or []
        nets = [ipaddress.ip_network(pool["subnet"]) for pool in pools]
        assert len(nets) == len({net.version for net in nets})
        taken = [pool["gateway"] for pool in pools if "gateway" in pool]
        for service in config["services"].values():
            attachment = (service.get("networks") or {}).get(key) or {}
            taken += [attachment[field] for field in ("ipv4_address", "ipv6_address") if field in attachment]
        assert len(set(taken)) == len(taken)
        for address in map(ipaddress.ip_address, taken):
            [home] = [net for net in nets if address in net]
            assert address not in (home.network_address, getattr(home, "broadcast_address", None))


@given(compose_files(), stacks, facts, st.booleans())
@examples(0.5)
def test_static_addresses_stay_static(file: Any, stack: Any, facts: Facts, chosen: bool) -> None:
    """Whoever had an address of its own still has one, chosen subnet or not."""
    config = isolate(file, *stack, facts=with_subnets(facts, file, 3) if chosen else facts)
    for name, service in file["services"].items():
        for key, attachment in (service.get("networks") or {}).items():
            for field in ("ipv4_address", "ipv6_address"):
                if field in (attachment or {}):
                    assert config["services"][name]["networks"][key][field] != attachment[field]


def plain(port: dict[str, Any]) -> dict[str, Any]:
    return {"protocol": "tcp", **port}


def targets(service: dict[str, Any]) -> set[tuple[Any, str]]:
    return {(port["target"], port["protocol"]) for port in map(plain, service.get("ports") or [])}


@given(compose_files(), facts)
@examples(0.5)
def test_changes_by_rule_are_all_changes(file: Any, facts: Facts) -> None:
    """Each rule once, none of its changes left out, in their order."""
    found = review(file, "main", facts=facts)
    for rule, changes in found.by_rule().items():
        assert changes == tuple(change for change in found.changes if change.rule == rule) != ()
    assert sum(map(len, found.by_rule().values())) == len(found.changes)

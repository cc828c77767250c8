"""Published ports of every form."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.reach import Reach, Way
from tasklib.stacks.labels import PORTS
from tasklib.stacks.rewrite import isolate, reserved_ports

from .support import FACTS, one, reviewed


def published(*ports: Any, **service: Any) -> list[tuple[Any, str, str | None]]:
    found = one({"ports": list(ports), **service}).get("ports") or []
    assert all(port["host_ip"] == "127.0.0.1" for port in found)
    return [(port["target"], port["protocol"], port.get("published")) for port in found]


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ({"target": 80, "published": "8080", "protocol": "tcp", "mode": "ingress"}, [(80, "tcp", None)]),
        ({"target": 80, "published": "8080-8090", "protocol": "tcp", "mode": "host"}, [(80, "tcp", None)]),
        ({"target": 53, "published": "53", "protocol": "udp"}, [(53, "udp", None)]),
        ({"target": 80, "published": "80", "host_ip": "::", "protocol": "tcp"}, [(80, "tcp", None)]),
        ({"target": 80, "published": "80", "host_ip": "192.168.1.5", "protocol": "tcp"}, [(80, "tcp", None)]),
        ({"target": 80, "protocol": "tcp"}, [(80, "tcp", None)]),
        ({"target": 80, "published": "0", "protocol": "tcp"}, [(80, "tcp", None)]),
        ("8080:80", [(80, "tcp", None)]),
        ("80", [(80, "tcp", None)]),
        (80, [(80, "tcp", None)]),
        ("127.0.0.1:8080:80/udp", [(80, "udp", None)]),
        ("127.0.0.1::80", [(80, "tcp", None)]),
        ("[::1]:8080:80", [(80, "tcp", None)]),
        ("8000-8002:9000-9002", [(9000, "tcp", None), (9001, "tcp", None), (9002, "tcp", None)]),
        ("8000-8010:80", [(80, "tcp", None)]),
    ],
)
def test_every_form_of_a_port_becomes_a_free_one_on_loopback(port: Any, expected: Any) -> None:
    """Fixed, ranged, bound, UDP, long and short ports all end as a free port on 127.0.0.1."""
    assert published(port) == expected


def test_one_container_port_is_published_once() -> None:
    """A port that is published on IPv4 and IPv6, or twice, becomes one; TCP and UDP stay two."""
    ports = ["0.0.0.0:53:53", "[::]:53:53", "5353:53", "53:53/udp"]
    assert published(*ports) == [(53, "tcp", None), (53, "udp", None)]


@pytest.mark.parametrize("mode", ["none", "service:other", "host"])
def test_without_a_network_of_its_own_nothing_is_published(mode: str) -> None:
    """A service in another's network, the host's or none has no published port."""
    services = {"api": {"network_mode": mode, "ports": [{"target": 80, "published": "80"}]}, "other": {}}
    assert "ports" not in reviewed(services).config["services"]["api"]


def test_a_port_kept_free_is_published_for_its_service() -> None:
    """TASKLIB_PORT_API_8000 is the host port of port 8000 of service api, and of nothing else."""
    facts = replace(FACTS, ports={"TASKLIB_PORT_API_8000": 40123})
    services = {
        "api": {"ports": [{"target": 8000, "published": "40123"}, {"target": 9000, "published": "9000"}]},
        "web": {"ports": [{"target": 8000, "published": "8000"}]},
    }
    config = reviewed(services, facts=facts).config["services"]
    assert [port.get("published") for port in config["api"]["ports"]] == ["40123", None]
    assert "published" not in config["web"]["ports"][0]


def test_a_port_kept_free_is_published_even_where_the_file_only_names_it() -> None:
    """What only a value asks for is published too, or the value would lead nowhere."""
    facts = replace(FACTS, ports={"TASKLIB_PORT_PRICE_DB_5432": 40123})
    config = reviewed({"price-db": {}}, facts=facts).config
    assert [(p["target"], p["published"]) for p in config["services"]["price-db"]["ports"]] == [
        (5432, "40123")
    ]


def test_two_services_of_one_variable_do_not_get_one_port() -> None:
    """`a-b` and `a_b` spell one variable; one of them gets the port and the other a free one."""
    facts = replace(FACTS, ports={"TASKLIB_PORT_A_B_80": 40123})
    services = {"a-b": {"ports": [{"target": 80}]}, "a_b": {"ports": [{"target": 80}]}}
    config = reviewed(services, facts=facts).config["services"]
    assert sorted(str(s["ports"][0].get("published")) for s in config.values()) == ["40123", "None"]


def test_the_variables_that_files_mention_are_found() -> None:
    """`reserved_ports` finds every TASKLIB_PORT variable of the raw files, whatever its form."""
    texts = ["A: ${TASKLIB_PORT_API_8000:-8000}\nB: $TASKLIB_PORT_PRICE_DB_5432", "TASKLIB_PORT_X", "nothing"]
    assert reserved_ports(texts) == {"TASKLIB_PORT_API_8000", "TASKLIB_PORT_PRICE_DB_5432"}


def test_the_input_is_not_changed() -> None:
    """`isolate` leaves the config it was given as it was, nested values included."""
    given = {"name": "x", "services": {"api": {"ports": [{"target": 80, "published": "80"}]}}}
    isolate(given, "main")
    assert given == {"name": "x", "services": {"api": {"ports": [{"target": 80, "published": "80"}]}}}


def test_ports_that_tests_need_are_published_once() -> None:
    """Those that `publish` names come beside the file's own, whose they may be already."""
    config = {"services": {"db": {"image": "x", "ports": [{"target": 80, "protocol": "tcp"}]}}}
    facts = replace(FACTS, publish={"db": (5432, 80), "gone": (1,)})
    found = isolate(config, "main", facts=facts)["services"]["db"]["ports"]
    assert [(port["target"], port["host_ip"]) for port in found] == [(80, "127.0.0.1"), (5432, "127.0.0.1")]


JOINED = replace(FACTS, reach=Reach(Way.JOINED, "in a container"))


def test_nothing_is_published_where_tests_reach_the_container() -> None:
    """The file's ports, and those asked for besides, are told by a label and exposed as before."""
    facts = replace(JOINED, publish={"api": (9000,)})
    service = {
        "ports": ["127.0.0.1:8080:80", "53:53/udp", {"target": 80, "protocol": "tcp"}],
        "expose": ["7000"],
    }
    found = one(service, facts=facts)
    assert "ports" not in found
    assert found["labels"][PORTS] == "80/tcp 53/udp 9000/tcp"
    assert found["expose"] == ["7000", "80", "53/udp", "9000"]
    config = reviewed({"api": service}, facts=facts).config
    assert isolate(config, "feature-auth", facts=facts) == config, "isolating it again changes nothing"
    assert PORTS not in one({}, facts=JOINED)["labels"]


def test_every_replica_says_its_own_ports() -> None:
    """Each is a container of its own, and reached by itself."""
    config = reviewed({"api": {"ports": ["80"], "deploy": {"replicas": 2}}}, facts=JOINED).config
    assert [service["labels"][PORTS] for service in config["services"].values()] == ["80/tcp", "80/tcp"]


def test_ports_are_published_on_the_engines_own_address_where_that_is_the_way() -> None:
    """Not on every address that it has."""
    facts = replace(FACTS, reach=Reach(Way.PUBLISHED, "a neighbour", address="172.18.0.2"))
    (port,) = one({"ports": ["8080:80"]}, facts=facts)["ports"]
    assert (port["host_ip"], port.get("published")) == ("172.18.0.2", None)

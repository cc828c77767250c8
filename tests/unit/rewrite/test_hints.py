"""Values that say what is elsewhere now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasklib.project import Shared

from .support import FACTS, ROOT, reviewed

API = {"ports": [{"target": 8000, "published": "8080", "protocol": "tcp"}]}


def hinted(web: dict[str, Any], **facts: Any) -> set[tuple[str, str]]:
    found = reviewed({"api": API, "web": web}, facts=replace(FACTS, **facts))
    assert found.config["services"]["web"].get("environment") == web.get("environment")
    return {(hint.service, hint.variable) for hint in found.hints}


@pytest.mark.parametrize(
    "value",
    [
        "http://localhost:8080/v1",
        "http://127.0.0.1:8080",
        "a,HOST.docker.internal:8080,b",
        "[::1]:8080",
        "postgresql://me:pw@localhost:8080/x",
    ],
)
def test_values_that_name_a_fixed_port_are_pointed_out(value: str) -> None:
    """Environment, commands, labels and build arguments that say localhost:<fixed port> are named."""
    assert hinted({"environment": {"URL": value, "EMPTY": None}}) == {("web", "URL")}
    assert hinted({"command": ["run", value]}) == {("web", "command")}
    assert hinted({"labels": {"l": value}}) == {("web", "labels.l")}
    assert hinted({"build": {"context": ".", "args": {"A": value}}}) == {("web", "build.args.A")}


@pytest.mark.parametrize(
    "value",
    ["http://api:8000", "localhost:80801", "localhost:9090", "mylocalhost:8080", "0.0.0.0:8080", "8080"],
)
def test_other_values_are_not(value: str) -> None:
    """Service names, other ports and addresses to listen on are as right as before."""
    assert not hinted({"environment": {"URL": value}})


def test_a_hint_says_what_to_write() -> None:
    """The variable that holds the free port is in the hint; where it is used already there is none."""
    found = reviewed({"api": API, "web": {"environment": {"URL": "http://localhost:8080"}}})
    assert "${TASKLIB_PORT_API_8000}" in found.hints[0].what
    api = {"ports": [{"target": 8000, "published": "40123"}]}
    facts = replace(FACTS, ports={"TASKLIB_PORT_API_8000": 40123})
    web = {"environment": {"URL": "http://localhost:40123"}}
    assert not reviewed({"api": api, "web": web}, facts=facts).hints


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_port_of_the_container_itself_is_not(host: str) -> None:
    """On loopback its own port is where it was, for whoever shares its network too; the host's is not."""
    ports = [{"target": 8200, "published": "8200"}, {"target": 80, "published": "8080"}]
    own = {"A": f"http://{host}:8200"}
    services = {
        "vault": {"ports": ports, "environment": own},
        "beside": {"network_mode": "service:vault", "environment": own},
    }
    assert not reviewed(services).hints
    elsewhere = {"A": f"http://{host}:8080", "B": "http://host.docker.internal:8200"}
    found = reviewed({"vault": {"ports": ports, "environment": elsewhere}, "web": {"environment": own}})
    assert {(hint.service, hint.variable) for hint in found.hints} == {
        ("vault", "A"),
        ("vault", "B"),
        ("web", "A"),
    }


def test_data_in_the_checkout_and_privileges_are_pointed_out() -> None:
    """A store's data in the checkout is shared by its stacks; a privileged container can do anything."""
    mount = {"type": "bind", "source": f"{ROOT}/pg", "target": "/var/lib/postgresql/data"}
    found = reviewed({"db": {"image": "postgres", "volumes": [mount], "privileged": True}})
    assert {hint.variable for hint in found.hints} == {"volumes[0]", "privileged"}
    assert not found.problems


def test_values_that_name_a_renamed_network_are_pointed_out() -> None:
    """A proxy is told its network by name, in labels and options; other uses of the word are not meant."""
    networks = {"default": {"name": "proxy"}}
    service = {
        "labels": {"traefik.docker.network": "proxy", "other": "the-proxy"},
        "command": ["--providers.docker.network=proxy", "--x=proxy2"],
        "environment": {"MODE": "proxy", "DOCKER_NETWORK": "proxy"},
    }
    found = reviewed({"api": service}, networks=networks)
    assert {hint.variable for hint in found.hints} == {
        "labels.traefik.docker.network",
        "command",
        "DOCKER_NETWORK",
    }
    assert all("test-feature-auth.default" in hint.what for hint in found.hints)


def test_a_static_address_on_a_shared_network_is_pointed_out() -> None:
    """Only one instance at a time can have it."""
    networks = {"proxy": {"external": True, "name": "proxy"}}
    service = {"networks": {"proxy": {"ipv4_address": "10.0.0.5"}}}
    shared = Shared(networks=frozenset({"proxy"}))
    found = reviewed({"api": service}, networks=networks, facts=replace(FACTS, shared=shared))
    assert found.config["services"]["api"]["networks"]["proxy"]["ipv4_address"] == "10.0.0.5"
    assert [hint.variable for hint in found.hints] == ["networks.proxy.ipv4_address"]

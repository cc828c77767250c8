"""Values that say what is elsewhere now."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

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


POOLS = [
    {"subnet": "172.28.0.0/16", "gateway": "172.28.0.1", "aux_addresses": {"printer": "172.28.0.9"}},
    {"subnet": "fd12::/64"},
]
STATIC = {"networks": {"net": {"ipv4_address": "172.28.0.7"}}}


def told(service: dict[str, Any], **more: Any) -> list[str]:
    """What is said of ``service`` beside one with a static address, whose network moves to 10.9.0.0/24."""
    networks = {"net": {"enable_ipv6": True, "ipam": {"config": POOLS}}}
    facts = replace(FACTS, subnets={"net": "10.9.0.0/24"})
    found = reviewed({"db": STATIC, "web": service}, networks=networks, facts=facts, **more)
    assert {hint.service for hint in found.hints} <= {"web"}
    return [f"{hint.variable} {hint.what}" for hint in found.hints]


def test_values_that_name_a_moved_subnet_or_address_are_pointed_out() -> None:
    """Subnets as written and auxiliary addresses count as static addresses do; parts of them do not."""
    environment = {
        "PROXIES": "127.0.0.0/8,172.28.0.0/16",
        "SIX": "fd12::/64",
        "PRINTER": "172.28.0.9:9100",
        "HOST": "172.28.0.7/32",
        "OTHER": "172.28.0.0/24 172.28.0.0/160 1172.28.0.0/16 172.28.0.10",
    }
    proxies, six, printer, host = told({"environment": environment})
    assert proxies == "PROXIES names the subnet 172.28.0.0/16, which is 10.9.0.0/24 in this stack"
    assert six.startswith("SIX names the subnet fd12::/64, which is fd")
    assert printer == "PRINTER names the address 172.28.0.9, which is 10.9.0.9 in this stack"
    assert host == "HOST names the address 172.28.0.7, which is 10.9.0.7 in this stack"


def test_a_subnet_that_the_engine_chooses_is_pointed_out() -> None:
    """Without a subnet of the stack's own, nobody knows the new one yet."""
    networks = {"default": {"ipam": {"config": [{"subnet": "172.28.0.0/16"}]}}}
    [hint] = reviewed({"web": {"environment": {"NET": "172.28.0.0/16"}}}, networks=networks).hints
    assert "172.28.0.0/16, which is whichever the engine chooses" in hint.what


def test_health_checks_and_contents_count() -> None:
    """Old addresses are found in health checks, and in written-out configs with whoever uses them."""
    test = ["CMD", "nc", "-z", "172.28.0.7", "80"]
    assert [line.split()[0] for line in told({"healthcheck": {"test": test}})] == ["healthcheck.test"]
    configs = {"nginx": {"content": "allow 172.28.0.0/16;"}, "unused": {"content": "172.28.0.7"}}
    for entry in ("nginx", {"source": "nginx", "target": "/etc/nginx.conf"}):
        [line] = told({"configs": [entry]}, configs=configs)
        assert line.startswith("configs.nginx.content names the subnet 172.28.0.0/16")


def test_a_health_check_asks_its_own_container() -> None:
    """On loopback it means the container, whoever's port the host has there; the host's own name does not."""
    assert not hinted({"healthcheck": {"test": "curl localhost:8080"}})
    assert hinted({"healthcheck": {"test": "curl host.docker.internal:8080"}}) == {
        ("web", "healthcheck.test")
    }


def test_a_variable_without_a_value_is_named_once() -> None:
    """With the file and line that ask for it, however many services use it."""
    facts = replace(FACTS, unset={"PW": "/checkout/compose.yml:4"})
    found = reviewed({"a": {}, "b": {}}, facts=facts).hints
    assert [(hint.service, hint.variable) for hint in found] == [("/checkout/compose.yml:4", "${PW}")]


def test_a_port_on_internal_networks_alone_is_pointed_out() -> None:
    """The engine publishes nothing there; one network that leads outside is enough."""
    networks = {"inner": {"internal": True}, "outer": {}}
    services = {
        "db": {"ports": ["5432"], "networks": {"inner": None}},
        "web": {"ports": ["80"], "networks": {"inner": None, "outer": None}},
        "job": {"networks": {"inner": None}},
    }
    found = reviewed(services, networks=networks).hints
    assert [(hint.service, hint.variable) for hint in found] == [("db", "ports")]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KAFKA_ADVERTISED_LISTENERS", "INSIDE://vault:9092,OUTSIDE://localhost:8200"),
        ("MINIO_SERVER_URL", "http://localhost:8200"),
        ("KC_HOSTNAME", "http://localhost:8200"),
        ("OIDC_ISSUER", "http://127.0.0.1:8200/realms/x"),
        ("NEXTAUTH_URL", "http://localhost:8200"),
        ("OAUTH_CALLBACK", "http://localhost:8200/back"),
        ("KAFKA_ADVERTISED_PORT", "8200"),
        ("KC_HOSTNAME_PORT", "8200"),
    ],
)
def test_an_address_that_a_server_tells_its_clients_is_said_loudly(variable: str, value: str) -> None:
    """It is right inside of the container alone, also where both ports have one number."""
    vault = {"ports": [{"target": 8200, "published": "8200"}], "environment": {variable: value}}
    (hint,) = reviewed({"vault": vault}).hints
    assert (hint.variable, hint.loud) == (variable, True)
    assert "${TASKLIB_PORT_VAULT_8200}" in hint.what
    listening = {**vault, "environment": {"KAFKA_LISTENERS": value}}
    assert not reviewed({"vault": listening}).hints
    flag = {**vault, "environment": {}, "command": ["start", "--advertise-kafka-addr", "localhost:8200"]}
    assert [(h.variable, h.loud) for h in reviewed({"vault": flag}).hints] == [("command", True)]
    apart = {**flag, "command": "redis-server --port 8200 --cluster-announce-port 8200"}
    assert [(h.variable, h.loud) for h in reviewed({"vault": apart}).hints] == [("command", True)]


def test_an_address_that_a_server_may_tell_its_clients_is_for_who_asks() -> None:
    """Nobody knows whether its own URL is for others; another port than a published one is for nobody."""
    own = {"LOCALSTACK_HOST": "localhost:8200", "KAFKA_ADVERTISED_PORT": "9092", "PORT": "8200"}
    vault = {"ports": [{"target": 8200, "published": "8200"}], "environment": own}
    assert [(h.variable, h.loud) for h in reviewed({"vault": vault}).hints] == [("LOCALSTACK_HOST", False)]

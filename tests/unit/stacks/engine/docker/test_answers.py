"""What the engine answers about containers, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tasklib.stacks.engine.docker.answers.containers import container_from, log_lines_from, networks_of
from tasklib.stacks.engine.docker.answers.facts import facts_from
from tasklib.stacks.engine.docker.answers.resources import age_of, writable_mounts_from
from tasklib.stacks.engine.values import Port, Users, WritableMount
from tasklib.stacks.labels import PORTS


@pytest.mark.parametrize(
    ("test", "ports"),
    [
        (["CMD", "curl", "-f", "http://127.0.0.1:8000/health"], {8000}),
        (["CMD-SHELL", "wget -q localhost:9/ http://localhost/ || curl https://[::1]/"], {80, 443}),
        (
            ["CMD", "python", "-c", "urlopen('http://localhost:8000'); urlopen('http://0.0.0.0:9/')"],
            {8000, 9},
        ),
        (["CMD", "curl", "http://localhost.example.com:8000/", "http://127.0.0.1.example.com/"], set()),
        (["CMD", "curl", "http://neighbour:8000/health"], set()),
        (["CMD", "pg_isready"], set()),
        (["NONE"], set()),
        (None, set()),
    ],
)
def test_a_container_is_worth_asking_once_one_of_its_ports_is_open(
    test: list[str] | None, ports: set[int]
) -> None:
    """Those that its health check asks by its own URLs, and what the image exposes."""
    config = {"ExposedPorts": {"5432/tcp": {}, "53/udp": {}}, "Healthcheck": {"Test": test}}
    assert set(container_from({"Id": "1", "Config": config}).listens) == ports | {5432}


def test_a_line_that_came_in_parts_is_one() -> None:
    """The engine stamps every part, in the middle of a word if need be: no secret is torn by that."""
    stamp, part = "2026-11-27T07:22:54.664675316Z ", "x" * 16_378
    raw = f"{stamp}{part}secret{stamp}-value\x0bend\n{stamp}short {stamp}\r\n\n"
    long, short = log_lines_from(raw.encode())
    assert long.text == f"{part}secret-value\x0bend"
    assert short.text == f"short {stamp}"
    assert long.at == pytest.approx(1795764174.66, abs=0.1)


def test_ports_that_nothing_publishes_are_at_the_containers_address() -> None:
    """Its label says which; while it has no address, nobody gets to them."""
    networks = {
        "a": {"NetworkID": "1", "IPAddress": "10.0.0.2"},
        "b": {"NetworkID": "2", "IPAddress": "10.0.1.2"},
    }
    row = {
        "Id": "1",
        "Config": {"Labels": {PORTS: "8000/tcp 53/udp"}},
        "NetworkSettings": {"Networks": networks, "Ports": {"8000/tcp": None}},
    }
    assert container_from(row).ports == (Port(53, "udp", "10.0.0.2", 53), Port(8000, "tcp", "10.0.0.2", 8000))
    assert {port.host for port in container_from(row, {"2"}).ports} == {"10.0.1.2"}, (
        "the network that is ours"
    )
    gone = container_from({**row, "NetworkSettings": {}})
    assert [(port.target, port.published) for port in gone.ports] == [(53, 0), (8000, 0)]


def test_networks_are_told_apart_by_whether_they_were_joined() -> None:
    """A network that our container was on before carries no mark."""
    networks = {
        "home": {"NetworkID": "1"},
        "stack": {"NetworkID": "2", "DriverOpts": {"mark": "x"}},
        "odd": {"NetworkID": ""},
    }
    row = {"NetworkSettings": {"Networks": networks}}
    assert networks_of(row) == {"1", "2"}
    assert networks_of(row, marked="mark") == {"2"}
    assert networks_of({}) == frozenset()


def test_a_volumes_age_is_taken_by_the_engines_clock() -> None:
    """Whatever zone it writes and however finely; what is not known is new."""
    row = {"CreatedAt": "2026-05-01T10:00:00Z"}
    assert age_of(row, "2026-05-01T10:02:00.123456789Z") == 120.0
    assert age_of({"CreatedAt": "2026-05-01T12:00:00+02:00"}, "2026-05-01T10:00:30.5Z") == 30.0
    assert age_of(row, "2026-05-01T09:59:59Z") == 0.0
    assert age_of({}, "2026-05-01T10:00:00Z") == 0.0


def test_what_a_container_may_write_of_the_machine() -> None:
    """Folders, and volumes that are one; what is only read and the engine's own volumes are none of it."""
    bind = {"Type": "bind", "Source": "/shop/data", "Destination": "/data", "RW": True}
    named = {"Type": "volume", "Name": "v", "Source": "/engine/v", "Destination": "/v", "RW": True}
    row = {
        "Id": "1" * 64,
        "Image": "postgres:16",
        "Labels": {"com.docker.compose.project": "shop-dev"},
        "Mounts": [bind, {**bind, "RW": False}, named, {**named, "Name": "plain"}, {"Type": "tmpfs"}],
    }
    volumes: list[Mapping[str, Any]] = [
        {"Name": "v", "Options": {"type": "none", "o": "rw,bind", "device": "/shop/v"}},
        {"Name": "plain", "Options": None},
        {"Name": "tmpfs", "Options": {"type": "tmpfs", "device": "tmpfs"}},
    ]
    expected = (("/shop/data", "/data"), ("/shop/v", "/v"))
    assert writable_mounts_from([row], volumes) == tuple(
        WritableMount("1" * 12, "shop-dev", "postgres:16", *paths) for paths in expected
    )
    assert writable_mounts_from([{"Id": "1", "Mounts": None}], []) == ()


@pytest.mark.parametrize(
    ("options", "users"),
    [
        (["name=seccomp,profile=builtin", "name=cgroupns"], Users.SAME),
        (["name=seccomp,profile=builtin", "name=rootless"], Users.OURS),
        (["name=userns"], Users.SHIFTED),
        (None, Users.SAME),
    ],
)
def test_whose_files_containers_write_follows_the_engines_options(
    options: list[str] | None, users: Users
) -> None:
    """Rootless, root inside is the engine's own user; with `userns-remap` everyone inside is another."""
    info = {"ID": "x", "ServerVersion": "26.1", "NCPU": 2, "SecurityOptions": options}
    assert facts_from(info, {"ApiVersion": "1.45"}, "http+docker://localhost").users is users

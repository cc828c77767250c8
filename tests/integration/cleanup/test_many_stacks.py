"""Sixty-four stacks at once on one engine: each reachable, no subnet in another's way, then all gone."""

from __future__ import annotations

import itertools
import socket
from ipaddress import IPv4Network
from pathlib import Path

from tasklib.stacks.subnets import host_routes

from ..conftest import NewProject
from ..projects import compose
from ..traces import Traces
from .support import Run, gone_within

CHECKOUTS = 8
SERVICES = tuple(f"s{number}" for number in range(8))
CACHE = compose(cache='image: "${REDIS_IMAGE:-redis:7}"\nports: ["6379"]\n')


def test_sixty_four_stacks_at_once(project: NewProject, traces: Traces, token: str, state: Path) -> None:
    """Eight processes at a time choose subnets and ports without knowing of each other."""
    files = {f"services/{name}/deploy/test/docker-compose.yml": CACHE for name in SERVICES}
    files |= {f"services/{name}/tests/integration/test_it.py": "" for name in SERVICES}
    first = project({"pyproject.toml": "", **files})
    checkouts = [first, *(first.worktree(f"{number}/{token}") for number in range(1, CHECKOUTS))]
    names = [word for name in SERVICES for word in ("--name", name)]
    runs = [Run(checkout, "tasklib", "infra.up", *names) for checkout in checkouts]
    for run in runs:
        assert run.wait() == 0, run.text

    containers = traces.containers()
    assert len(containers) == CHECKOUTS * len(SERVICES)
    ports = [port["PublicPort"] for row in containers for port in row["Ports"] if port.get("PublicPort")]
    assert len(set(ports)) == len(containers)
    for port in ports:
        assert answer(port) == b"+PONG\r\n"

    subnets = [IPv4Network(config["Subnet"]) for row in traces.networks() for config in row["IPAM"]["Config"]]
    assert len(subnets) == len(containers)
    assert not [pair for pair in itertools.combinations(subnets, 2) if pair[0].overlaps(pair[1])]
    # Each is a route of its own by now, on Linux; no other route is in its way.
    others = [route for route in host_routes() if route not in subnets]
    assert not [(net, route) for net in subnets for route in others if net.overlaps(route)]

    runs = [Run(checkout, "tasklib", "clean") for checkout in checkouts]
    for run in runs:
        assert run.wait() == 0, run.text
    assert not gone_within(traces, state)


def answer(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(64)

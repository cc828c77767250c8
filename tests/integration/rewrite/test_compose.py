"""Isolated configs are what the real Compose understands, with the same inside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tasklib.stacks.rewrite import Facts, as_text, isolate, reserved_ports, review, subnet_sizes
from tasklib.stacks.rewrite.normal import plain_keys

from .support import CORPUS, compose, generated, render, unit


def accepted(config: dict[str, Any]) -> dict[str, Any]:
    """What the real Compose makes of an isolated config."""
    printed = compose("-f", "-", "config", "--format", "json", text=as_text(config))
    rendered: dict[str, Any] = plain_keys(json.loads(printed))
    return rendered


def facts(config: dict[str, Any], number: int, **more: Any) -> Facts:
    sizes = sorted(subnet_sizes(config).items())
    subnets = {key: f"10.{100 + number}.{index}.0/{size}" for index, (key, size) in enumerate(sizes)}
    return Facts(checkout_root=str(CORPUS), subnets=subnets, **more)


FILES = sorted(path.name for path in CORPUS.glob("*.yml"))

PROBLEMS = {
    "proxy.yml": {"services.traefik.volumes[0]", "networks.proxy"},
    "monitoring.yml": {
        "services.node-exporter.network_mode",
        "services.node-exporter.pid",
        "services.cadvisor.volumes[0]",
        "services.cadvisor.devices[0]",
    },
    "backend.yml": {"services.vector.volumes[0]"},
    "remote-volumes.yml": {"volumes.nfs", "volumes.outside", "volumes.plugin"},
    "outside.yml": {
        "volumes.prod",
        "networks.proxy",
        "services.app.volumes[1]",
        "services.app.external_links[0]",
        "services.app.ipc",
        "services.app.uts",
        "services.scanner.devices[0]",
        "services.scanner.pid",
    },
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_in_the_style_of_a_known_one_runs_isolated(name: str) -> None:
    """Compose accepts two instances of each file of the corpus, which share nothing and mean the same."""
    path = CORPUS / name
    reserved = {variable: 40000 + index for index, variable in enumerate(reserved_ports([path.read_text()]))}
    rendered = render(path, **{variable: str(port) for variable, port in reserved.items()})
    pair = []
    for number, instance in enumerate(("feature", "feature-auth")):
        own = {variable: port + 100 * number for variable, port in reserved.items()}
        found = review(rendered, instance, facts=facts(rendered, number, ports=own))
        assert {problem.path for problem in found.problems} == PROBLEMS.get(name, set())
        assert isolate(found.config, instance, facts=facts(rendered, number, ports=own)) == found.config
        again = accepted(found.config)
        assert set(again["services"]) == set(found.config["services"])
        for key, service in again["services"].items():
            for field in (
                "environment",
                "command",
                "entrypoint",
                "labels",
                "container_name",
                "image",
                "hostname",
            ):
                assert service.get(field) == found.config["services"][key].get(field), (key, field)
            original = rendered["services"].get(key)
            if original:
                for field in ("environment", "command", "entrypoint", "hostname"):
                    assert service.get(field) == original.get(field), (key, field)
        pair.append(unit.claims(again))
    assert not pair[0] & pair[1]


@given(file=generated.compose_files(), stack=generated.stacks)
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_every_generated_file_stays_one_that_compose_accepts(file: dict[str, Any], stack: Any) -> None:
    """What Compose accepts before isolating it accepts afterwards, with the same inside."""
    rendered = json.loads(compose("-f", "-", "config", "--format", "json", text=as_text(file)))
    isolated = isolate(rendered, *stack, facts=facts(rendered, 1, start_interval=True))
    again = accepted(isolated)
    assert set(again["services"]) == set(isolated["services"])
    for key, service in rendered["services"].items():
        for field in ("environment", "command", "entrypoint", "hostname", "user", "expose", "extra_hosts"):
            assert again["services"][key].get(field) == service.get(field)

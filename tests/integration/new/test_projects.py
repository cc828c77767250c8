"""A new project passes all stages as it is, in each layout and of each kind; its own commands are typed."""

from __future__ import annotations

import json
import re
from urllib.request import urlopen

import pytest

from tasklib.release.workflows.files import Forge

from ..environments.conftest import FreePort
from ..environments.test_fixed import Lasting
from ..projects import Checkout
from ..traces import Traces, until
from .conftest import NewlyMade

STAGES = ("nox", "-s", "unit", "service", "integration")


def passed(checkout: Checkout, *argv: str) -> str:
    """What a command says that has to succeed."""
    ran = checkout.run(*argv)
    assert ran.code == 0, ran
    return ran.text


def targets(text: str) -> dict[str, int]:
    """How many tests passed in each target of a run."""
    found = re.findall(r"(?m)^(\w+ \S+): (\d+) passed \(", text)
    return {target: int(count) for target, count in found}


@pytest.mark.parametrize("kind", ["python", "node", "command"])
def test_a_single_service(newly_made: NewlyMade, kind: str) -> None:
    """Unit tests without and integration tests with its stack, at once; nothing is left but images."""
    shop = newly_made("--single", "--kind", kind, "--ci", "gitea")
    name = shop.root.name

    ran = targets(passed(shop, *STAGES))

    assert set(ran) == {f"unit {name}", f"integration {name}"}
    assert all(ran.values())
    assert passed(shop, "tasklib", "doctor").splitlines() == ["nothing found"]
    assert shop.is_clean
    passed(shop, "nox", "-s", "clean")


def test_several_services_one_of_each_kind(
    newly_made: NewlyMade, token: str, traces: Traces, free_port: FreePort, lasting: Lasting
) -> None:
    """One from the beginning, the others added to a project that its user has changed: all stages pass."""
    shop = newly_made("--services", "api", "--ci", "github")
    name = shop.root.name
    compose = shop.root / "deploy/test/docker-compose.yml"
    edited = compose.read_text().replace('ports: ["8000"]', 'ports: ["8000"]\n    labels: [ours]')
    compose.write_text(edited)
    shop.commit()

    passed(shop, "tasklib", "new.service", "web", "--kind", "node")
    added = passed(shop, "invoke", "new.service", "front", "--kind", "command")
    assert "deploy/test/docker-compose.yml" in added
    assert edited.splitlines()[:40] == compose.read_text().splitlines()[:40]
    assert passed(shop, "tasklib", "doctor").splitlines() == ["nothing found"]
    shop.commit()

    ran = targets(passed(shop, *STAGES))

    of_each = {f"{stage} {service}" for stage in ("unit", "service") for service in ("api", "web", "front")}
    assert set(ran) == of_each | {f"integration {name}"}
    assert all(ran.values())
    assert shop.is_clean

    passed(shop, "invoke", "infra.up", "--name", "api")
    status = passed(shop, "invoke", "infra.status")
    assert re.search(r"api: running, healthy 127\.0\.0\.1:\d+->8000", status)
    passed(shop, "invoke", "infra.down")
    assert traces.containers() == []

    in_production = {
        "REGISTRY": "r.example.com",
        "VERSION": "1.0.0",
        "DATA_DIR": "/srv",
        "POSTGRES_PASSWORD": "x",
    }
    config = shop.run("tasklib", "infra.config", "--env", "prod", env=in_production)
    assert config.code == 0, config
    services = json.loads(config.out)["services"]
    assert set(services) == {"database", "api", "web", "front"}
    assert all(service["restart"] == "unless-stopped" for service in services.values())

    _dev_reloads(shop, free_port)
    passed(shop, "nox", "-s", "clean")


def _dev_reloads(shop: Checkout, free_port: FreePort) -> None:
    """In development a change of each service's source is seen without a build."""
    names = ("API_PORT", "WEB_PORT", "FRONT_PORT", "POSTGRES_PORT")
    ports = {name: str(free_port()) for name in names}
    up = shop.run("tasklib", "infra.up", "--env", "dev", env=ports)
    assert up.code == 0, up
    module = f"{shop.root.name}_api"
    edits = {
        ("API_PORT", "/health"): (
            f"services/api/src/{module}/app.py",
            '{"status": "ok"}',
            '{"status": "new"}',
        ),
        ("WEB_PORT", "/health"): ("services/web/src/app.js", '{ status: "ok" }', '{ status: "new" }'),
        ("FRONT_PORT", "/"): ("services/front/public/index.html", "<h1>", "<h1>new "),
    }
    for (port, path), (file, old, new) in edits.items():
        source = shop.root / file
        text = source.read_text()
        assert old in text
        source.write_text(text.replace(old, new))
        assert until(lambda port=port, path=path: "new" in _page(ports[port], path)), f"{file} is not seen"
    down = shop.run("tasklib", "infra.down", "--env", "dev", env=ports)
    assert down.code == 0, down


def _page(port: str, path: str) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@pytest.mark.parametrize("forge", Forge)
def test_workflows_of_a_new_project(newly_made: NewlyMade, forge: Forge) -> None:
    """They are what `ci.workflow` writes."""
    shop = newly_made("--services", "api,web:node", "--ci", forge)

    told = passed(shop, "tasklib", "ci.workflow", "--for", forge)

    assert all(line.endswith(" is up to date") for line in told.splitlines()), told
    assert shop.is_clean

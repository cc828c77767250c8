"""example-project's dev and prod stacks, whole and for real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from ..projects import Checkout
from ..traces import Traces, until
from .conftest import FreePort
from .test_fixed import Lasting

PRODUCT = {"name": "Earl Grey, 100 g", "price_cents": 790, "stock": 40}


def ask(method: str, url: str, body: object = None) -> Any:
    """The answer of a JSON interface; ``None`` where there is none yet."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")
    except OSError:
        return None


def page(url: str) -> str:
    try:
        with urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def edit(checkout: Checkout, name: str, old: str, new: str) -> None:
    path = checkout.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def orders(example: Checkout, token: str, lasting: Lasting) -> Checkout:
    """example-project under a name of its own, with volumes and images of its own."""
    edit(example, "pyproject.toml", 'name = "orders"', f'name = "orders{token}"')
    edit(example, "deploy/dev/docker-compose.yml", "name: orders-dev", f"name: orders{token}-dev")
    with (example.root / "pyproject.toml").open("a") as file:
        file.write(f'\n[tool.tasklib.images]\nname = "{token}/orders-{{service}}"\n')
    example.commit()
    return example


def test_dev(orders: Checkout, token: str, free_port: FreePort, lasting: Lasting) -> None:
    """dev comes up, picks up a change in each service by itself, and keeps its data when it goes down."""
    names = ("FRONTEND_PORT", "API_PORT", "POSTGRES_PORT", "REDIS_PORT")
    ports = {name: str(free_port()) for name in names}
    web, api = (f"http://127.0.0.1:{ports[name]}" for name in names[:2])
    ran = orders.run("tasklib", "infra.up", "--env", "dev", env=ports)
    assert ran.code == 0, ran
    lines = [line.strip() for line in ran.out.splitlines()]
    assert {f"api: {api}", f"frontend: {web}"} <= set(lines)
    assert f"database: postgresql://orders:***@127.0.0.1:{ports['POSTGRES_PORT']}/orders" in lines
    assert ask("PUT", f"{web}/api/products/TEA", PRODUCT) == {"sku": "TEA", **PRODUCT}

    edit(orders, "services/api/orders_api/app.py", '"queue": await', '"jobs": await')
    edit(orders, "services/frontend/src/format.ts", '"just now"', '"this moment"')
    edit(
        orders,
        "services/worker/orders_worker/__main__.py",
        "    run(queue",
        "    print('loaded again', flush=True)\n        run(queue",
    )
    assert until(lambda: "jobs" in (ask("GET", f"{api}/health") or {}), 60)
    assert until(lambda: "this moment" in page(f"{web}/js/format.js"), 60)
    logs = ("tasklib", "infra.logs", "--env", "dev", "--name", "worker")
    assert until(lambda: "loaded again" in orders.run(*logs).out, 60)

    assert orders.run("tasklib", "infra.down", "--env", "dev").code == 0
    kept = [f"orders{token}-dev-{name}" for name in ("frontend-js", "postgres", "redis")]
    assert lasting() == kept
    assert orders.run("tasklib", "infra.up", "--env", "dev", "--name", "api", env=ports).code == 0
    assert ask("GET", f"{api}/products") == [{"sku": "TEA", **PRODUCT}]
    assert orders.run("tasklib", "infra.down", "--env", "dev").code == 0


def test_prod(
    orders: Checkout, token: str, free_port: FreePort, tmp_path: Path, engine: Any, traces: Traces
) -> None:
    """prod runs a release's images on data outside Docker, with limits, rotated logs and restarts."""
    built = orders.run("tasklib", "release.images", "--version", "1.0.0", "--no-push")
    assert built.code == 0, built
    for name in ("postgres", "redis"):
        (tmp_path / "data" / name).mkdir(parents=True)
    port = free_port()
    env = {
        "IMAGE_PREFIX": f"{token}/orders",
        "VERSION": "1.0.0",
        "HTTP_PORT": str(port),
        "DATA_DIR": str(tmp_path / "data"),
        "POSTGRES_PASSWORD": "only-for-tests",
    }
    missing = orders.run("tasklib", "infra.up", "--env", "prod", "--yes")
    assert (missing.code, "set it in .env" in missing.err) == (2, True), missing
    ran = orders.run("tasklib", "infra.up", "--env", "prod", "--yes", env=env)
    assert (ran.code, "only-for-tests" in ran.text) == (0, False), ran
    assert ran.out.splitlines()[-1] == f"  frontend: http://127.0.0.1:{port}"
    web = f"http://127.0.0.1:{port}/api"
    assert ask("PUT", f"{web}/products/TEA", PRODUCT)
    order = ask("POST", f"{web}/orders", {"sku": "TEA", "quantity": 2})
    assert until(lambda: (ask("GET", f"{web}/orders/{order['id']}") or {}).get("status") == "done", 30)
    for row in traces.containers():
        settings = engine.inspect_container(row["Id"])["HostConfig"]
        assert settings["RestartPolicy"]["Name"] == "unless-stopped"
        assert settings["Memory"]
        assert settings["LogConfig"]["Config"]["max-size"]
    assert orders.run("tasklib", "infra.down", "--env", "prod", "--yes", env=env).code == 0
    assert (tmp_path / "data/postgres/PG_VERSION").exists()

"""What the engine answers about containers, as values."""

from __future__ import annotations

import pytest

from tasklib.stacks.engine.answers import container_from


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

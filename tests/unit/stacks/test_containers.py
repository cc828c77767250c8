"""What the engine answers about containers, as values."""

from __future__ import annotations

import pytest

from tasklib.stacks.containers import container_from


@pytest.mark.parametrize(
    ("test", "ports"),
    [
        (["CMD", "curl", "-f", "http://127.0.0.1:8000/health"], (8000,)),
        (["CMD-SHELL", "wget -q localhost:9/ http://localhost/ || curl https://[::1]/"], (80, 443)),
        (
            ["CMD", "python", "-c", "urlopen('http://localhost:8000'); urlopen('http://0.0.0.0:9000/')"],
            (8000, 9000),
        ),
        (["CMD", "curl", "http://localhost.example.com:8000/", "http://127.0.0.1.example.com/"], (5432,)),
        (["CMD", "curl", "http://neighbour:8000/health"], (5432,)),
        (["CMD", "pg_isready"], (5432,)),
        (["NONE"], (5432,)),
        (None, (5432,)),
    ],
)
def test_a_check_waits_for_the_ports_it_asks_for(test: list[str] | None, ports: tuple[int, ...]) -> None:
    """Its own URLs tell which; a check without any waits for what the image exposes."""
    config = {"ExposedPorts": {"5432/tcp": {}, "53/udp": {}}, "Healthcheck": {"Test": test}}
    assert container_from({"Id": "1", "Config": config}).listens == ports

"""Fixed ports: which variable changes them, and who has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.stacks.engine.values import Publisher
from tasklib.stacks.fixed.ports import FixedPort, conflicts, fixed_ports, port_variables


@pytest.mark.parametrize(
    ("port", "variable"),
    [
        ('"${API_PORT:-8000}:8000"', "API_PORT"),
        ('"${API_PORT-8000}:8000"', "API_PORT"),
        ('"${API_PORT}:8000"', "API_PORT"),
        ('"$API_PORT:8000"', "API_PORT"),
        ('"${API_PORT:?set it}:8000/tcp"', "API_PORT"),
        ('"127.0.0.1:${API_PORT:-8000}:8000"', "API_PORT"),
        ('"${BIND:-127.0.0.1}:${API_PORT:-8000}:8000"', "API_PORT"),
        ('"[::1]:${API_PORT:-8000}:8000"', "API_PORT"),
        ('"${API_PORT:-8000}:${INSIDE:-8000}"', "API_PORT"),
        ('{target: 8000, published: "${API_PORT:-8000}", protocol: tcp}', "API_PORT"),
        ('"8000:8000"', None),
        ('"8000"', None),
        ("8000", None),
        ('"${BIND}:8000:8000"', None),
        ("{target: 8000}", None),
    ],
)
def test_variable(port: str, variable: str | None) -> None:
    """The variable of a host port is found in every way that a port can be written."""
    found = port_variables([f"services:\n  api:\n    ports:\n      - {port}\n"])
    assert found == ({("api", 8000): variable} if variable else {})


def test_variables_of_several_files() -> None:
    """A later file decides, with Compose's own tags before its lists and with merged mappings."""
    first = "x-web: &web\n  ports: ['${A}:80']\nservices:\n  web:\n    <<: *web\n  api: {ports: ['${B}:1']}\n"
    second = "services:\n  web:\n    ports: !override\n      - '${C}:80'\n"
    assert port_variables([first, second]) == {("web", 80): "C", ("api", 1): "B"}


@given(st.text())
def test_any_text(text: str) -> None:
    """What is no Compose file has no variables."""
    assert port_variables([text]) == {} or "$" in text


def test_fixed_ports() -> None:
    """Ports with one number on the host are fixed; free ones and ranges are not."""
    config = {
        "services": {
            "api": {
                "ports": [
                    {"target": 8000, "published": "8000", "host_ip": "127.0.0.1", "protocol": "tcp"},
                    {"target": 53, "published": "5353", "protocol": "udp"},
                    {"target": 1, "published": "9000-9005"},
                    {"target": 2},
                    {"target": 3, "published": "0"},
                ]
            },
            "database": {},
        }
    }
    assert fixed_ports(config, {("api", 8000): "API_PORT"}) == (
        FixedPort("api", 8000, 8000, "127.0.0.1", "tcp", "API_PORT"),
        FixedPort("api", 53, 5353, "", "udp"),
    )


@pytest.mark.parametrize(
    ("host", "port", "protocol", "project", "meets"),
    [
        ("127.0.0.1", 8000, "tcp", "other", True),
        ("0.0.0.0", 8000, "tcp", "other", True),
        ("::", 8000, "tcp", "", True),
        ("127.0.0.2", 8000, "tcp", "other", False),
        ("127.0.0.1", 8001, "tcp", "other", False),
        ("127.0.0.1", 8000, "udp", "other", False),
        ("127.0.0.1", 8000, "tcp", "shop-dev", False),
    ],
)
def test_conflicts(host: str, port: int, protocol: str, project: str, meets: bool) -> None:
    """A port is taken by the same number on an address that meets ours, unless it is our own."""
    wanted = FixedPort("api", 8000, 8000, "127.0.0.1")
    publisher = Publisher("c", project, "/elsewhere", host, port, protocol)
    assert bool(conflicts([wanted], [publisher], "shop-dev")) is meets

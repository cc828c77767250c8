"""What is known of a prepared stack's services before anything of it runs."""

from __future__ import annotations

from typing import Any

import pytest

from tasklib.stacks.preparation import known_servers
from tasklib.stacks.rewrite import comes_back

TWO = "ARG V\nFROM redis:$V AS c\nFROM python\n"


def test_a_known_server_is_known_by_its_image_or_by_what_that_is_built_on() -> None:
    """An image of the project's own that stands on postgres starts as postgres does."""
    config = {
        "services": {
            "db": {"image": "registry.example.com/mirror/postgres:16"},
            "own": {"image": "test-main/own", "build": {"context": "."}},
            "api": {"image": "test-main/api", "build": {"context": "."}},
            "cache": {
                "image": "test-main/cache",
                "build": {"context": ".", "target": "c", "args": {"V": "7"}},
            },
        }
    }
    found = known_servers(
        config, {"own": "FROM postgis/postgis:16-3.4\nCOPY x /\n", "api": "FROM python\n", "cache": TWO}
    )
    assert {name: server.kind for name, server in found.items()} == {
        "db": "postgres",
        "own": "postgres",
        "cache": "redis",
    }


@pytest.mark.parametrize(
    ("service", "back"),
    [
        ({"restart": "always"}, True),
        ({"restart": "unless-stopped"}, True),
        ({"restart": "on-failure:3"}, False),
        ({"restart": "no"}, False),
        ({}, False),
        ({"deploy": {"restart_policy": {"max_attempts": 3}}}, True),
        ({"deploy": {"restart_policy": {"condition": "any"}}}, True),
        ({"deploy": {"restart_policy": {"condition": "on-failure"}}}, False),
    ],
)
def test_what_is_started_again_after_0_stands_in_its_file(service: dict[str, Any], back: bool) -> None:
    """In either of the two places; `restart` comes first."""
    assert comes_back(service) is back

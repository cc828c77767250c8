"""Containers of our own beside a stack, as far as they are decided without an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasklib.stacks.endpoints import Endpoint
from tasklib.stacks.engine.docker.answers.containers import written_from
from tasklib.stacks.engine.values import ImageConfig
from tasklib.stacks.inside import definition_of, inside_endpoints, own_command
from tasklib.stacks.rewrite import held_back


def test_what_is_the_services_alone_is_left_out() -> None:
    """Names, ports, places on networks and restarts stay with the service; image, volumes, labels do not."""
    service: dict[str, Any] = {
        "image": "shop.api:latest",
        "build": {"context": "."},
        "container_name": "shop.api",
        "command": ["serve"],
        "environment": {"MODE": "test", "PRICE": "4$$2"},
        "ports": [{"target": 80}],
        "networks": {"default": {"aliases": ["shop"], "ipv4_address": "10.0.0.2", "priority": 1}, "b": None},
        "volumes": [{"type": "volume", "source": "data", "target": "/data"}],
        "labels": {"a": "b"},
        "restart": "always",
        "deploy": {"replicas": 2, "resources": {"limits": {"memory": "1g"}}},
    }
    made = definition_of(service, ["pytest", "$HOME"], {"MODE": "x$y"}, {Path("/t"): ("/tasklib/run", True)})
    assert made == {
        "image": "shop.api:latest",
        "command": ["pytest", "$$HOME"],
        "environment": {"MODE": "x$$y", "PRICE": "4$$2"},
        "networks": {"default": {"priority": 1}, "b": {}},
        "volumes": [
            {"type": "volume", "source": "data", "target": "/data"},
            {"type": "bind", "source": "/t", "target": "/tasklib/run", "read_only": False},
        ],
        "labels": {"a": "b"},
        "deploy": {"resources": {"limits": {"memory": "1g"}}},
    }
    assert definition_of(service, [], {}, {})["command"] == ["serve"]


def test_endpoints_inside_are_names_and_container_ports() -> None:
    """Published, exposed and known ones, and those that a template asks for; nothing of what is not up."""
    config = {
        "services": {
            "api": {"image": "api", "ports": [{"target": 8000}], "expose": ["9000/tcp"]},
            "db": {"image": "postgres:16"},
            "mail": {"image": "mail"},
            "sut": {"image": "sut", "ports": [{"target": 1}], "scale": 0},
        }
    }
    found = inside_endpoints(config, {"MAIL": "smtp://{mail:25}", "X": "{api.host}"})
    assert found == (
        Endpoint("api", 8000, "api", 8000),
        Endpoint("api", 9000, "api", 9000),
        Endpoint("db", 5432, "db", 5432),
        Endpoint("mail", 25, "mail", 25),
    )


SERVICES: dict[str, Any] = {
    "web": {"ports": [{"target": 80}], "depends_on": {"queue": {}}},
    "worker": {},
    "queue": {},
    "sut": {"depends_on": {"web": {}}, "healthcheck": {}},
}


@pytest.mark.parametrize(
    ("inside", "tested", "needs", "expected"),
    [
        ({"web"}, (), (), set()),
        ({"web"}, (), ("queue",), set()),
        ({"worker"}, (), (), {"worker"}),
        ({"worker"}, (), ("worker",), set()),
        ({"queue"}, (), (), set()),
        ({"sut"}, ("sut",), (), {"sut"}),
        ({"sut"}, ("sut",), ("sut", "web"), {"sut"}),
        ({"gone"}, (), (), set()),
        (set(), (), (), set()),
    ],
)
def test_which_services_are_there_for_their_image_alone(
    inside: set[str], tested: tuple[str, ...], needs: tuple[str, ...], expected: set[str]
) -> None:
    """What serves or is waited for is up as ever; a suite in a service of its own runs once, by us."""
    assert held_back(SERVICES, inside, tested, needs) == expected


def test_what_a_container_wrote_is_told_by_its_topmost_parts() -> None:
    """A new folder stands for all in it; folders that only hold what changed, and what is gone, are not."""
    rows = [
        {"Path": "/app", "Kind": 0},
        {"Path": "/app/htmlcov", "Kind": 1},
        {"Path": "/app/htmlcov/index.html", "Kind": 1},
        {"Path": "/app/src", "Kind": 0},
        {"Path": "/app/src/lock", "Kind": 0},
        {"Path": "/app/old", "Kind": 2},
    ]
    assert written_from(rows) == ("/app/htmlcov", "/app/src/lock")


@pytest.mark.parametrize(
    "entrypoint",
    [
        ["/docker-entrypoint.sh"],
        ["tini", "--"],
        ["/usr/bin/dumb-init", "--", "./start"],
        ["uv", "run"],
        "bash /app/wait.sh db",
        ["sh", "-c", 'sleep 1; exec "$@"', "sh"],
    ],
)
def test_an_entrypoint_that_starts_what_it_is_given_stays(entrypoint: str | list[str]) -> None:
    """It may wait for the database or become another user first."""
    made = definition_of({"entrypoint": entrypoint}, ["pytest", "$x"], {}, {})
    assert (made["entrypoint"], made["command"]) == (entrypoint, ["pytest", "$$x"])


@pytest.mark.parametrize("entrypoint", [["flask", "run", "--port=80"], "python app.py", ["/bin/server"]])
def test_an_entrypoint_that_is_a_program_of_its_own_goes(entrypoint: str | list[str]) -> None:
    """It would take the tests' command for its own arguments; without a command it is what is run."""
    made = definition_of({"entrypoint": entrypoint}, ["pytest"], {}, {})
    assert (made["entrypoint"], "command" in made) == (["pytest"], False)
    assert definition_of({"entrypoint": entrypoint}, [], {}, {})["entrypoint"] == entrypoint


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({}, ("npm", "test")),
        ({"command": ["npx", "jest", "--json=$$x"]}, ("npx", "jest", "--json=$x")),
        ({"command": "npx jest 'a b'"}, ("npx", "jest", "a b")),
        ({"entrypoint": ["mocha"]}, ("mocha",)),
        ({"entrypoint": ["mocha"], "command": ["-w"]}, ("mocha", "-w")),
        ({"entrypoint": ["tini", "--"], "command": ["mocha", "-w"]}, ("mocha", "-w")),
        ({"entrypoint": []}, ()),
    ],
)
def test_what_a_container_does_by_itself(service: dict[str, Any], words: tuple[str, ...]) -> None:
    """The file's words come before the image's, and an entrypoint of the file takes the image's command."""
    image = ImageConfig("sha256:1", ("docker-entrypoint.sh",), ("npm", "test"))
    assert own_command(service, image) == words
    assert own_command({"command": ["ptw"]}, None) == ("ptw",)

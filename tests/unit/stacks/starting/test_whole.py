"""Whether a stack that was kept is there as it is meant to be."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.stacks.engine.values import Container
from tasklib.stacks.labels import MADE_OF
from tasklib.stacks.rewrite import isolate
from tasklib.stacks.starting.whole import is_whole

IMAGES = {"api:1": "sha256:api", "redis:7": "sha256:redis"}

FILE: dict[str, Any] = {
    "services": {
        "api": {"image": "api:1", "networks": {"default": None}, "secrets": [{"source": "token"}]},
        "cache": {"image": "redis:7", "networks": {"default": None}, "scale": 2},
        "off": {"image": "api:1", "scale": 0},
    },
    "networks": {"default": {}},
    "secrets": {"token": {"file": "/token"}},
}


def config(**changes: Any) -> dict[str, Any]:
    return isolate({"name": "shop", **FILE, **changes}, "main")


def containers(of: dict[str, Any]) -> list[Container]:
    """Those that Compose makes of it."""
    return [
        Container(
            f"{name}-{number}",
            name,
            of["name"],
            name,
            "running",
            image_id=IMAGES[service["image"]],
            made_of=service["labels"][MADE_OF],
        )
        for name, service in of["services"].items()
        for number in range(service.get("scale", 1))
    ]


def whole(of: dict[str, Any], there: list[Container]) -> bool:
    return is_whole(of, there, IMAGES.get)


def test_what_runs_as_it_is_meant_to_is_whole() -> None:
    """With every replica, without what has none, and with jobs that have run."""
    there = containers(config())
    assert len(there) == 3
    assert whole(config(), there)
    assert whole(config(), [replace(there[0], state="exited"), *there[1:]])


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "exited", "exit_code": 1},
        {"state": "created"},
        {"state": "paused"},
        {"image_id": "sha256:before"},
        {"made_of": ""},
        {"service": "stranger"},
    ],
)
def test_one_container_that_is_not_as_it_should_be_is_enough(changed: dict[str, Any]) -> None:
    """It does not run, its image was built again, somebody else made it, or it is not in the file."""
    first, *rest = containers(config())
    assert not whole(config(), [replace(first, **changed), *rest])


def test_a_missing_or_further_container_is_enough() -> None:
    """Compose makes the one and we remove the other."""
    there = containers(config())
    assert not whole(config(), there[1:])
    assert not whole(config(), [*there, replace(there[0], id="another")])


@pytest.mark.parametrize(
    "changes",
    [
        {"services": {**FILE["services"], "api": {**FILE["services"]["api"], "command": ["serve"]}}},
        {"networks": {"default": {"internal": True}}},
        {"secrets": {"token": {"file": "/another"}}},
    ],
)
def test_what_the_file_says_now_is_compared(changes: dict[str, Any]) -> None:
    """Of the service itself, and of what it uses."""
    assert not whole(config(**changes), containers(config()))


def test_a_change_of_one_service_is_no_change_of_another() -> None:
    """Compose would not make that one again either."""
    changed = {**FILE["services"], "cache": {**FILE["services"]["cache"], "command": ["redis-server"]}}
    before, after = config(), config(services=changed)
    made_of = {name: service["labels"][MADE_OF] for name, service in after["services"].items()}
    assert made_of["api"] == before["services"]["api"]["labels"][MADE_OF]
    assert made_of["cache"] != before["services"]["cache"]["labels"][MADE_OF]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"build": {"context": "."}}, {"build": {"context": ".", "args": {"GIT_SHA": "1"}}}),
        ({}, {"depends_on": {"cache": {"condition": "service_started"}}}),
        ({}, {"pull_policy": "never"}),
    ],
)
def test_what_makes_no_other_container_is_no_change(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Compose keeps the container as well, and a store its data."""
    job = {"image": "api:1", "networks": {"default": None}}
    both = (config(services={**FILE["services"], "job": {**job, **more}}) for more in (before, now))
    assert len({found["services"]["job"]["labels"][MADE_OF] for found in both}) == 1


def test_an_image_that_is_to_be_pulled_again_is_pulled() -> None:
    """The registry may have another one."""
    services = {**FILE["services"], "api": {**FILE["services"]["api"], "pull_policy": "always"}}
    assert not whole(config(services=services), containers(config(services=services)))

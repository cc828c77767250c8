"""PURE: is a stack that was kept there as it is meant to be?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tasklib.stacks.engine.values import Container
from tasklib.stacks.labels import MADE_OF
from tasklib.stacks.rewrite import replica_count

__all__ = ["is_whole"]


_PULLS_NOTHING_NEW = (None, "missing", "if_not_present", "never", "build")
"""With any other policy Compose asks the registry whether there is another image."""


def is_whole(
    config: Mapping[str, Any], containers: Iterable[Container], image_id: Callable[[str], str | None]
) -> bool:
    """Whether all containers of an isolated ``config`` run, made of what it says and of today's images.

    ``containers`` are those of its project; ``image_id`` tells which image a reference names now. A job that
    ended with 0 has run.
    """
    services: Mapping[str, Mapping[str, Any]] = config["services"]
    meant = {name: count for name, service in services.items() if (count := replica_count(service))}
    found: dict[str, list[Container]] = {name: [] for name in meant}
    for container in containers:
        found.setdefault(container.service, []).append(container)
    return {name: len(there) for name, there in found.items()} == meant and all(
        _runs(container)
        and container.made_of == (services[name].get("labels") or {}).get(MADE_OF)
        and services[name].get("pull_policy") in _PULLS_NOTHING_NEW
        and container.image_id == image_id(str(services[name].get("image")))
        for name, there in found.items()
        for container in there
    )


def _runs(container: Container) -> bool:
    return container.state == "running" or (container.state == "exited" and container.exit_code == 0)

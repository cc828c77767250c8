"""Compose for the engine in memory: what a Compose file says, made of values."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tasklib.errors import StackError
from tasklib.process import Cancel
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.source import Source
from tasklib.stacks.engine.values import FOLDER_LABEL, PROJECT_LABEL, Port
from tasklib.stacks.hidden import hide_secrets
from tasklib.stacks.labels import MADE_OF
from tests.memory_engine import MemoryEngine

__all__ = ["MemoryCompose"]


class MemoryCompose:
    """Renders the same ``services`` whatever files it is given, and makes their containers on ``engine``.

    ``did`` has the verbs in the order that they were asked for.
    """

    def __init__(self, engine: MemoryEngine, services: Mapping[str, Any]) -> None:
        self.engine = engine
        self.services = services
        self.did: list[str] = []
        self.failure: StackError | None = None
        """What creating fails with."""

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("render", "create", "up", "build", "create_as_written", "down_as_written"):
            monkeypatch.setattr(compose, name, getattr(self, name))

    def render(
        self, source: object, project: str, env: object, cancel: object = None, **options: object
    ) -> dict[str, Any]:
        services = {name: copy.deepcopy(dict(service)) for name, service in self.services.items()}
        for service in services.values():
            service.setdefault("networks", {"default": None})
        hide_secrets({"services": services})
        return {
            "name": project,
            "services": services,
            "networks": {"default": {"name": f"{project}_default"}},
        }

    def create(
        self, source: object, config: Mapping[str, Any], env: object, on_line: Any, cancel: Cancel
    ) -> None:
        self.did.append("create")
        cancel.check()
        if self.failure:
            raise self.failure
        project = config["name"]
        there = {container.service for container in self.engine.containers(project)}
        for key, network in config["networks"].items():
            labels = {PROJECT_LABEL: project, "com.docker.compose.network": key, **network["labels"]}
            if not self.engine.owned({PROJECT_LABEL: project}, kinds=["network"]):
                self.engine.add_network(network["name"], labels)
        for name, service in config["services"].items():
            on_line(f" Container {name}  Creating")
            if name not in there:
                image = str(service.get("image", ""))
                if not self.engine.image_id(image):
                    self.engine.add_image(image)  # pulled
                check = (service.get("healthcheck") or {}).get("test")
                self.engine.add_container(
                    project,
                    name,
                    service.get("command") or ("sleep", "600"),
                    labels=service["labels"],
                    health="starting" if check else None,
                    health_test=tuple(check or ()),
                    image=image,
                    image_id=self.engine.image_id(image) or "",
                    made_of=service["labels"].get(MADE_OF, ""),
                    writes=[
                        (mount["source"], mount["target"])
                        for mount in service.get("volumes") or ()
                        if mount["type"] == "bind" and not mount.get("read_only")
                    ],
                    ports=tuple(
                        Port(int(p["target"]), "tcp", "127.0.0.1", 0) for p in service.get("ports") or ()
                    ),
                )

    def up(
        self, source: object, config: Mapping[str, Any], env: object, on_line: Any, cancel: Cancel
    ) -> None:
        self.create(source, config, env, on_line, cancel)
        for container in self.engine.containers(config["name"]):
            self.engine.start(container.id)

    def build(
        self,
        source: object,
        config: Mapping[str, Any],
        services: Sequence[str],
        env: object,
        on_line: Any,
        cancel: Cancel,
    ) -> None:
        self.did.append("build")
        for name in services:
            self.engine.add_image(config["services"][name]["image"])

    def create_as_written(
        self,
        source: Source,
        config: Mapping[str, Any],
        services: Sequence[str],
        on_line: Any,
        cancel: Cancel,
        *,
        start: bool,
    ) -> None:
        self.did.append("create as written")
        if self.failure:
            raise self.failure
        there = {container.service for container in self.engine.containers(config["name"])}
        for name, service in config["services"].items():
            if name not in there:
                made = self.engine.add_container(
                    config["name"],
                    name,
                    labels={FOLDER_LABEL: str(source.directory)},
                    ports=tuple(
                        Port(int(port["target"]), "tcp", "127.0.0.1", int(port["published"]))
                        for port in service.get("ports") or ()
                    ),
                    image=str(service.get("image", "")),
                )
                if start:
                    self.engine.start(made.id)

    def down_as_written(
        self, source: Source, project: str, services: Sequence[str], on_line: Any, cancel: Cancel
    ) -> None:
        self.did.append("down as written")
        owned = self.engine.owned({PROJECT_LABEL: project}, kinds=["container"])
        names = {c.id for c in self.engine.containers(project) if not services or c.service in services}
        self.engine.remove([resource for resource in owned if resource.id in names])

"""Docker's engine does what the engine in memory does."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest

from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import PROJECT_LABEL, SERVICE_LABEL, Resource
from tasklib.stacks.subnets import choose, host_routes
from tests.engine_contract import EngineContract, marked

from .projects import OFFICIAL


class DockerLaboratory:
    def __init__(self, api: Any, token: str) -> None:
        self.engine: Engine = DockerEngine.connect()
        self.project = f"contract-{token}"
        self.mark = f"contract-{token}"
        self.image = os.environ.get("PYTHON_IMAGE") or OFFICIAL["PYTHON_IMAGE"]
        self._api = api
        self._numbers = itertools.count(1)

    def container(
        self,
        service: str,
        argv: Sequence[str] = ("sleep", "600"),
        *,
        uses: Sequence[Resource] = (),
        labels: Mapping[str, str] = MappingProxyType({}),
        writes: Sequence[tuple[str, str]] = (),
    ) -> str:
        network = next((r.name for r in uses if r.kind == "network"), "none")
        volumes = [f"{r.name}:/data" for r in uses if r.kind == "volume"]
        volumes += [f"{source}:{target}" for source, target in writes]
        made = self._api.create_container(
            self.image,
            list(argv),
            name=f"{self.project}.{service}.{next(self._numbers)}",
            entrypoint=[],
            labels=marked(self, {SERVICE_LABEL: service, **labels}),
            host_config=self._api.create_host_config(network_mode=network, binds=volumes),
        )
        return str(made["Id"])

    def made_by(self, container_id: str, image: str) -> str:
        self._api.commit(container_id, *image.split(":"))
        return str(self._api.create_container(image)["Id"])

    def renamed(self, container_id: str) -> None:
        self._api.rename(container_id, f"{self.project}-renamed")

    def network(self, key: str) -> Resource:
        name, labels = f"{self.project}.{key}", marked(self, {"com.docker.compose.network": key})
        subnet = choose({key: 27}, [*self.engine.subnets(), *host_routes()], seed=self.project)[key]
        ipam = {"Config": [{"Subnet": subnet}]}
        made = self._api.create_network(name, driver="bridge", labels=labels, ipam=ipam)
        return Resource("network", made["Id"], name, labels)

    def volume(self, key: str) -> Resource:
        name, labels = f"{self.project}.{key}", marked(self, {})
        self._api.create_volume(name, labels=labels)
        return Resource("volume", name, name, labels)


@pytest.mark.engine
class TestDockerEngine(EngineContract):
    @pytest.fixture
    def lab(self, engine: Any, token: str) -> Iterator[DockerLaboratory]:
        made = DockerLaboratory(engine, token)
        try:
            yield made
        finally:
            mine = {PROJECT_LABEL: made.project}
            made.engine.remove(made.engine.inherited(mine))
            made.engine.remove(made.engine.images([f"{made.project}/copy:latest"]))
            left = made.engine.owned(mine)
            assert len(made.engine.remove(left)) == len(left)
            made.engine.close()

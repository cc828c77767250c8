"""The engine in memory is one as far as tests rely on it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pytest

from tasklib.errors import EngineError
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import PROJECT_LABEL, Resource
from tests.engine_contract import EngineContract, marked
from tests.memory_engine import MemoryEngine


class MemoryLaboratory:
    def __init__(self) -> None:
        self.memory = MemoryEngine()
        self.engine: Engine = self.memory
        self.project = "contract"
        self.mark = "mark"
        self.image = "python:latest"
        self.memory.add_image(self.image)
        self._subnets = (f"10.0.{number}.0/27" for number in itertools.count())

    def container(
        self,
        service: str,
        argv: Sequence[str] = ("sleep", "600"),
        *,
        uses: Sequence[Resource] = (),
        labels: Mapping[str, str] = MappingProxyType({}),
        writes: Sequence[tuple[str, str]] = (),
    ) -> str:
        ids = [resource.id for resource in uses]
        carried = marked(self, labels)
        made = self.memory.add_container(self.project, service, argv, labels=carried, uses=ids, writes=writes)
        return made.id

    def made_by(self, container_id: str, image: str) -> str:
        (of,) = (r for r in self.memory.owned({PROJECT_LABEL: self.project}) if r.id == container_id)
        self.memory.add_image(image, labels=of.labels)
        return self.memory.add_container(self.project, "api", labels=of.labels, image=image).id

    def renamed(self, container_id: str) -> None:
        self.memory.change(container_id, name="renamed")

    def network(self, key: str) -> Resource:
        labels = marked(self, {"com.docker.compose.network": key})
        return self.memory.add_network(f"{self.project}.{key}", labels, next(self._subnets))

    def volume(self, key: str) -> Resource:
        return self.memory.add_volume(f"{self.project}.{key}", marked(self, {}))


class TestMemoryEngine(EngineContract):
    @pytest.fixture
    def lab(self) -> MemoryLaboratory:
        return MemoryLaboratory()


def test_one_that_has_stopped_says_so() -> None:
    """Tests of an engine's silence ask it for nothing real."""
    engine = MemoryEngine()
    engine.answering = False
    assert not engine.heart.beats()
    with pytest.raises(EngineError, match="stopped answering"):
        engine.containers("shop")

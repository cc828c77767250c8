"""What every engine does alike: the one that tests use in memory, and Docker's."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import pytest

from tasklib.errors import EngineError
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import PROJECT_LABEL, Container, Errand, Resource
from tasklib.stacks.labels import CHECKOUT, CONTAINER

__all__ = ["EngineContract", "Laboratory"]

RUNS, SPEAKS, FAILS = ("sleep", "600"), ("echo", "hello"), ("false",)


class Laboratory(Protocol):
    """An engine, and how things come to be on it. All of it carries ``mark`` as a label."""

    engine: Engine
    project: str
    """The Compose project of all that is made; no other test has it."""
    mark: str
    image: str
    """The tag of an image that is there and declares no volume."""

    def container(
        self,
        service: str,
        argv: Sequence[str] = RUNS,
        *,
        uses: Sequence[Resource] = (),
        labels: Mapping[str, str] = MappingProxyType({}),
        writes: Sequence[tuple[str, str]] = (),
    ) -> str:
        """The id of a new container, attached to ``uses`` and not started.

        ``writes`` are folders of the engine's machine, each with its path inside.
        """
        ...

    def network(self, key: str) -> Resource: ...

    def volume(self, key: str) -> Resource: ...

    def made_by(self, container_id: str, image: str) -> str:
        """The id of a new container of ``image``, to which the container ``container_id`` is committed."""
        ...

    def renamed(self, container_id: str) -> None:
        """Somebody gives the container another name."""
        ...


def until(holds: Callable[[], bool]) -> bool:
    """Whether it holds before long."""
    deadline = time.monotonic() + 30
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def names(resources: Sequence[Resource]) -> set[str]:
    return {resource.name for resource in resources}


class EngineContract:
    """Inherited by a class with a fixture ``lab`` for each engine."""

    def seen(self, lab: Laboratory, container_id: str) -> Container:
        return next(c for c in lab.engine.containers(lab.project) if c.id == container_id)

    def ended(self, lab: Laboratory, container_id: str) -> Container:
        lab.engine.start(container_id)
        assert until(lambda: self.seen(lab, container_id).state == "exited")
        return self.seen(lab, container_id)

    def test_it_started_once(self, lab: Laboratory) -> None:
        """In its own words, the same each time it is asked."""
        assert lab.engine.born() == lab.engine.born() != ""

    def test_a_container_is_created_and_then_runs(self, lab: Laboratory) -> None:
        """Starting one that runs already is no mistake."""
        api = lab.container("api")
        assert (self.seen(lab, api).state, self.seen(lab, api).service) == ("created", "api")
        for _ in range(2):
            lab.engine.start(api)
            assert self.seen(lab, api).state == "running"

    def test_what_a_program_ended_with_is_seen(self, lab: Laboratory) -> None:
        """And what it said, for as long as the container is there."""
        job, broken = lab.container("job", SPEAKS), lab.container("broken", FAILS)
        assert self.ended(lab, job).exit_code == 0
        assert self.ended(lab, broken).exit_code == 1
        assert [line.text for line in lab.engine.logs(job)] == ["hello"]
        assert lab.engine.logs(broken) == ()

    def test_what_cannot_be_started_is_refused(self, lab: Laboratory) -> None:
        """A container that is not there, a program that is not in it."""
        with pytest.raises(EngineError, match="No such container"):
            lab.engine.start("0" * 64)
        with pytest.raises(EngineError, match="executable file not found"):
            lab.engine.start(lab.container("api", ("no-such-program",)))

    def test_containers_come_by_name_and_of_one_project(self, lab: Laboratory) -> None:
        """Others of the engine are not among them."""
        for service in ("web", "api", "job"):
            lab.container(service)
        found = lab.engine.containers(lab.project)
        assert [c.service for c in sorted(found, key=lambda c: c.name)] == [c.service for c in found]
        assert {c.service for c in found} == {"api", "job", "web"}
        assert lab.engine.containers(f"{lab.project}-2") == ()

    def test_what_containers_may_write_of_the_machine_is_known(self, lab: Laboratory, tmp_path: Path) -> None:
        """While they run; volumes are the engine's own folders."""
        api = lab.container("api", uses=[lab.volume("data")], writes=[(str(tmp_path), "/seen")])

        def seen() -> list[tuple[str, str]]:
            return [
                (mount.source, mount.target)
                for mount in lab.engine.writable_mounts()
                if mount.project == lab.project
            ]

        assert seen() == []
        lab.engine.start(api)
        assert seen() == [(str(tmp_path), "/seen")]

    def test_whoever_watches_is_told(self, lab: Laboratory) -> None:
        """Of a start and of a removal, without asking for everything again."""
        api = lab.container("api")
        with lab.engine.watch(lab.project) as watch:
            assert [c.state for c in watch.containers()] == ["created"]
            lab.engine.start(api)
            assert until(lambda: watch.wait(0.1) and [c.state for c in watch.containers()] == ["running"])
            lab.engine.remove(lab.engine.owned({PROJECT_LABEL: lab.project}))
            assert until(lambda: watch.wait(0.1) and watch.containers() == ())

    def test_a_command_inside_passes_or_fails(self, lab: Laboratory) -> None:
        """In a container that does not run there is nothing to ask."""
        api = lab.container("api")
        with pytest.raises(EngineError, match="is not running"):
            lab.engine.run_inside(api, ("true",))
        lab.engine.start(api)
        assert lab.engine.run_inside(api, ("true",))
        assert not lab.engine.run_inside(api, ("false",))

    def test_the_programs_of_a_container_are_seen(self, lab: Laboratory) -> None:
        """With their words, for as long as it runs."""
        api = lab.container("api")
        with pytest.raises(EngineError, match="is not running"):
            lab.engine.processes(api)
        lab.engine.start(api)
        assert until(lambda: lab.engine.processes(api) == (RUNS,))

    def test_what_carries_the_labels_is_owned(self, lab: Laboratory) -> None:
        """All of them, each with its value; an empty value stands for any."""
        lab.container("api")
        network, volume = lab.network("default"), lab.volume("data")
        labels = {PROJECT_LABEL: lab.project}
        found = lab.engine.owned(labels)
        assert {r.kind for r in found} == {"container", "network", "volume"}
        assert {network.name, volume.name} < names(found)
        assert lab.engine.owned(labels, kinds=["volume"])[0].name == volume.name
        assert names(lab.engine.owned({lab.mark: ""})) == names(found)
        assert lab.engine.owned({PROJECT_LABEL: lab.project, lab.mark: "other"}) == ()
        assert all(r.labels[PROJECT_LABEL] == lab.project for r in found)

    def test_what_has_labels_from_its_image_is_not_owned(self, lab: Laboratory) -> None:
        """It was started from a commit of ours; one of ours that was renamed is still ours."""
        labels = {PROJECT_LABEL: lab.project}
        ours = lab.container("api", labels={CHECKOUT: "checkout", CONTAINER: "its own"})
        others = lab.container("web")
        theirs = lab.made_by(ours, f"{lab.project}/copy:latest")
        lab.renamed(ours)
        assert {c.id for c in lab.engine.containers(lab.project)} == {ours, others}
        assert {r.id for r in lab.engine.owned(labels)} == {ours, others}
        assert [r.id for r in lab.engine.inherited(labels)] == [theirs]
        assert lab.engine.inherited({PROJECT_LABEL: f"{lab.project}-2"}) == ()
        lab.engine.remove(lab.engine.inherited(labels))

    def test_all_is_removed_whatever_order_it_is_given_in(self, lab: Laboratory) -> None:
        """Running containers first; what is gone already counts."""
        network, volume = lab.network("default"), lab.volume("data")
        lab.engine.start(lab.container("api", uses=[network, volume]))
        found = sorted(lab.engine.owned({PROJECT_LABEL: lab.project}), key=lambda r: r.kind, reverse=True)
        assert len(found) == 3
        for _ in range(2):
            assert names(lab.engine.remove(found)) == names(found)
            assert lab.engine.owned({PROJECT_LABEL: lab.project}) == ()

    def test_what_is_in_use_stays(self, lab: Laboratory) -> None:
        """It is no error, and not in the answer."""
        network, volume = lab.network("default"), lab.volume("data")
        lab.engine.start(lab.container("api", uses=[network, volume]))
        assert lab.engine.remove([network, volume]) == ()
        assert {r.kind for r in lab.engine.owned({PROJECT_LABEL: lab.project})} >= {"network", "volume"}

    def test_a_volume_is_known_by_its_labels(self, lab: Laboratory) -> None:
        """One that is not there has none, not even no labels."""
        volume = lab.volume("data")
        assert (lab.engine.volume_labels(volume.name) or {})[PROJECT_LABEL] == lab.project
        assert lab.engine.volume_labels(f"{volume.name}-2") is None

    def test_a_name_of_a_volume_is_given_once(self, lab: Laboratory) -> None:
        """Of many that ask for one at once, all are answered with what one of them asked for."""
        name = f"{lab.project}.claim"
        asked = [marked(lab, {"who": str(number)}) for number in range(8)]
        with ThreadPoolExecutor(len(asked)) as pool:
            answers = list(pool.map(lambda labels: lab.engine.named_volume(name, labels), asked))
        assert answers[0] in asked
        assert answers == answers[:1] * len(asked)
        assert lab.engine.volume_labels(name) == answers[0]

    def test_subnets_are_known_by_network(self, lab: Laboratory) -> None:
        """Those of a project by their keys, and all of the engine."""
        lab.network("default")
        mine = lab.engine.network_subnets(lab.project)
        assert set(mine) == {"default"}
        assert mine["default"] in {str(subnet) for subnet in lab.engine.subnets()}
        assert lab.engine.network_subnets(f"{lab.project}-2") == {}

    def test_an_image_has_as_many_names_as_it_is_given(self, lab: Laboratory) -> None:
        """Removing one leaves the others."""
        name = f"{lab.project}/copy:latest"
        assert lab.engine.image_id(name) is None
        assert (lab.engine.base_image(name), lab.engine.image_volumes(name)) == (None, None)
        lab.engine.tag(lab.image, name)
        assert lab.engine.image_id(name) == lab.engine.image_id(lab.image)
        assert lab.engine.image_volumes(name) == ()
        copies = lab.engine.images([name, f"{name}-2"])
        assert [image.id for image in copies] == [name]
        assert lab.engine.remove(copies) == copies
        assert lab.engine.image_id(name) is None
        assert lab.engine.image_id(lab.image) is not None

    def test_an_image_that_has_a_name_is_not_known_by_its_id(self, lab: Laboratory) -> None:
        """It is somebody's: an id stands for an image that has lost all its names."""
        image = lab.engine.image_id(lab.image)
        assert image
        assert lab.engine.images([image]) == ()

    def test_an_errand_becomes_an_image(self, lab: Laboratory) -> None:
        """It is a container of nobody's services, found by its labels, and ends when it is told to."""
        image, tag = lab.engine.image_config(lab.image), f"{lab.project}/made:latest"
        assert image
        labels = {PROJECT_LABEL: lab.project, lab.mark: "yes"}
        errand = lab.engine.create(Errand(lab.image, RUNS, labels=labels))
        assert [r.id for r in lab.engine.owned({PROJECT_LABEL: lab.project})] == [errand]
        lab.engine.start(errand)
        lab.engine.stop(errand, 0)
        ended = lab.engine.container(errand)
        assert ended
        assert ended.state == "exited"
        try:
            made = lab.engine.commit(errand, tag, image)
            assert lab.engine.image_id(tag) == made
            assert lab.engine.image_volumes(tag) == image.volumes
        finally:
            lab.engine.remove(lab.engine.images([tag]))
        lab.engine.remove(lab.engine.owned({PROJECT_LABEL: lab.project}))
        assert lab.engine.container(errand) is None
        assert lab.engine.image_config(tag) is None

    def test_sizes_change_nothing_else(self, lab: Laboratory) -> None:
        """Where the engine's accounting does not tell, a size is 0."""
        lab.container("api")
        lab.volume("data")
        found = lab.engine.owned({PROJECT_LABEL: lab.project})
        sized = lab.engine.sized(found)
        assert [(r.kind, r.id) for r in sized] == [(r.kind, r.id) for r in found]
        assert all(r.size >= 0 for r in sized)


def marked(lab: Laboratory, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of everything that is made for a test."""
    return {PROJECT_LABEL: lab.project, lab.mark: "yes", **labels}

"""Builds what the stacks of a run need and is not there yet, each distinct definition once.

The full stack and a service's own stack build the same image from the same folder. The first one that asks
builds it, the others get its image under their own names.
"""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from msgspec import Struct

from tasklib import process
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.source import Source
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.images.awaiting import awaited
from tasklib.stacks.images.inputs import inputs_digest
from tasklib.stacks.images.memory import Memory
from tasklib.stacks.images.ownership import tags_of, without_others
from tasklib.stacks.images.shared import SharedImages
from tasklib.state.records import Origin

__all__ = ["Builds"]

_TRUSTED = 24 * 3600.0
"""Seconds after which an image is built although nothing changed here: its base may have in its registry."""


class _Image(Struct, frozen=True):
    """An image that is there now: its tag and id, and what it was built from where that is known."""

    tag: str
    id: str | None
    origin: Origin | None


class _Order(Struct, frozen=True):
    """What is to be built from which config, and who is told."""

    source: Source
    config: Mapping[str, Any]
    env: Mapping[str, str]
    on_line: Callable[[str], None]
    cancel: process.Cancel

    @property
    def project(self) -> str:
        return str(self.config["name"])


class Builds:
    """The images that this run has built or is building. Safe to use from threads."""

    def __init__(self, engine: Engine, memory: Memory, shared: SharedImages | None = None) -> None:
        """``shared`` knows of images that others built, where the project has them in a registry."""
        self._engine = engine
        self._memory = memory
        self._shared = shared
        self._lock = threading.Lock()
        self._made: dict[str, Future[_Image]] = {}

    def build(
        self,
        source: Source,
        config: Mapping[str, Any],
        env: Mapping[str, str],
        on_line: Callable[[str], None],
        cancel: process.Cancel,
    ) -> None:
        """Make the images of all services of ``config`` that have a ``build``.

        Raises :class:`~tasklib.errors.StackError` when one cannot be built.
        """
        project = str(config["name"])
        built_id = functools.partial(self._memory.built_id, project)
        config = without_others(config, self._engine.image_id, built_id, on_line)
        services = {name: s for name, s in config["services"].items() if "build" in s}
        if not services:
            return
        self._memory.built(project, [tag for service in services.values() for tag in tags_of(service)])
        mine: dict[str, Future[_Image]] = {}
        others: list[tuple[Future[_Image], tuple[str, ...]]] = []
        bases = _bases(services)
        with self._lock:
            for name, service in services.items():
                key = _key(service)
                made = self._made.get(key)
                if made is None:
                    self._made[key] = mine[name] = Future()
                elif name in bases and made in mine.values():
                    mine[name] = Future()  # Compose builds it in time for what stands on it.
                else:
                    others.append((made, tags_of(service)))
        own = set(mine.values())
        try:
            # First what is made elsewhere: images that are built here may stand on it.
            self._tag(project, [other for other in others if other[0] not in own], cancel)
            self._make(_Order(source, config, env, on_line, cancel), mine)
        except BaseException as error:
            for future in own:
                if not future.done():
                    future.set_exception(error)
            raise
        self._tag(project, [other for other in others if other[0] in own], cancel)

    def _tag(
        self, project: str, others: Iterable[tuple[Future[_Image], tuple[str, ...]]], cancel: process.Cancel
    ) -> None:
        ids, origins = {}, {}
        for future, tags in others:
            built = awaited(future, cancel)
            for tag in tags:
                self._engine.tag(built.tag, tag)
                if built.id:
                    ids[tag] = built.id
            if built.origin:
                origins[tags[0]] = built.origin
        if ids:
            self._memory.remember(project, ids, origins)

    def _make(self, order: _Order, mine: Mapping[str, Future[_Image]]) -> None:
        services = {name: order.config["services"][name] for name in mine}
        inputs = self._inputs(services)
        changed = []
        for name, service in services.items():
            if origin := self._origin(order.project, service, inputs.get(name)):
                order.on_line(f"{name}: its image is built from just these files already")
                mine[name].set_result(_Image(str(service["image"]), origin.image, origin))
            else:
                changed.append(name)
        # A base image that is missing may be what keeps us from knowing more.
        if self._shared and changed and not _bases(services):
            self._share(self._shared, order, {name: mine[name] for name in changed})
        elif changed:
            self._build(order, {name: mine[name] for name in changed}, inputs)

    def _share(self, shared: SharedImages, order: _Order, wanted: Mapping[str, Future[_Image]]) -> None:
        """Take from the registry what it has, build the rest, and give it what it lacks."""
        services = {name: order.config["services"][name] for name in wanted}
        for service in services.values():  # All of them first: it may take minutes, in which files change.
            shared.bring_bases(service, self._engine, order.cancel)
        before = self._inputs(services)
        called = {name: shared.reference(name, services[name], self._engine) for name in before}
        inputs = self._inputs(services)
        # Of what changed in between, nobody knows which of the two its reference is of.
        references = {name: ref for name, ref in called.items() if ref and before[name] == inputs.get(name)}
        left = [name for name in wanted if not self._taken(shared, order, name, references, inputs, wanted)]
        first = [name for name in left if name not in references or shared.mine(references[name])]
        try:
            self._build(order, {name: wanted[name] for name in first}, inputs)
            for name in (name for name in first if shared.pushes and name in references):
                # What changed while it was built may be in it or not.
                image = wanted[name].result().id
                if image and self._inputs({name: services[name]}) == {name: inputs.get(name)}:
                    shared.give(references[name], image, self._engine, order.cancel)
        finally:
            for name in references.keys() & set(first):
                shared.made(references[name])
        # Another engine's part of this run makes these.
        later = [name for name in left if name not in first]
        for name in later:
            shared.wait(references[name], order.cancel)
        rest = [name for name in later if not self._taken(shared, order, name, references, inputs, wanted)]
        self._build(order, {name: wanted[name] for name in rest}, inputs)

    def _taken(
        self,
        shared: SharedImages,
        order: _Order,
        name: str,
        references: Mapping[str, str],
        inputs: Mapping[str, str],
        wanted: Mapping[str, Future[_Image]],
    ) -> bool:
        """Whether the registry has the image of a service, and its tags name that now."""
        reference, service = references.get(name), order.config["services"][name]
        image = shared.fetch(reference, self._engine, order.cancel) if reference else None
        if reference is None or image is None:
            return False
        order.on_line(f"{name}: its image is in the registry, built from just these files: {reference}")
        before = self._before(order.project, str(service["image"]))
        self._memory.built(order.project, [before] if before else [])
        for tag in tags_of(service):
            self._engine.tag(image, tag)
        shared.forget(reference, self._engine)
        self._settle(order.project, {name: wanted[name]}, {name: service}, {name: before}, inputs)
        return True

    def _build(self, order: _Order, wanted: Mapping[str, Future[_Image]], inputs: Mapping[str, str]) -> None:
        if not wanted:
            return
        services = {name: order.config["services"][name] for name in wanted}
        before = {name: self._before(order.project, str(services[name]["image"])) for name in wanted}
        # What the tags name now will have no name soon: should we die then, only the record knows of it.
        self._memory.built(order.project, [image for image in before.values() if image])
        compose.build(order.source, order.config, list(wanted), order.env, order.on_line, order.cancel)
        self._settle(order.project, wanted, services, before, inputs)

    def _settle(
        self,
        project: str,
        wanted: Mapping[str, Future[_Image]],
        services: Mapping[str, Mapping[str, Any]],
        before: Mapping[str, str | None],
        inputs: Mapping[str, str],
    ) -> None:
        """Remember what the tags of ``services`` name now, and remove what they named ``before``."""
        ids: dict[str, str] = {}
        origins = {}
        for name, service in services.items():
            tag, old = str(service["image"]), before[name]
            new = self._engine.image_id(tag)
            if new:
                ids |= dict.fromkeys(tags_of(service), new)
            if new and name in inputs:
                origins[tag] = Origin(inputs[name], new)
            wanted[name].set_result(_Image(tag, new, origins.get(tag)))
            if old and old != new:
                # What the tag named before is nobody's now, unless another tag or a container holds it.
                self._engine.remove(self._engine.images([old]))
        self._memory.remember(project, ids, origins)

    def _before(self, project: str, tag: str) -> str | None:
        """The id of what ``tag`` names until it is built anew, where that is ours."""
        now = self._engine.image_id(tag)
        return now if self._memory.built_id(project, tag) in (now, "") else None

    def _inputs(self, services: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """The digests of what the images are built from, where that can be told."""
        if _bases(services):
            return {}  # Whether one that others stand on changes shows only when it has been built.
        found = {name: inputs_digest(service, self._engine.base_image) for name, service in services.items()}
        return {name: digest for name, digest in found.items() if digest}

    def _origin(self, project: str, service: Mapping[str, Any], inputs: str | None) -> Origin | None:
        """What a service's image was built from, if it is there under all tags and would be the same now."""
        tags = tags_of(service)
        origin = self._memory.origin(project, tags[0]) if inputs else None
        if origin is None or origin.inputs != inputs or not 0 <= time.time() - origin.at < _TRUSTED:
            return None
        return origin if all(self._engine.image_id(tag) == origin.image for tag in tags) else None


def _key(service: Mapping[str, Any]) -> str:
    """What decides the content of an image: everything of a build but the names it gets."""
    build = {key: value for key, value in service["build"].items() if key != "tags"}
    return json.dumps([build, service.get("platform")], sort_keys=True)


def _bases(services: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The services whose images other builds mention."""
    builds = {name: json.dumps(service["build"]) for name, service in services.items()}
    return {
        name
        for name, service in services.items()
        if any(str(service["image"]) in text for other, text in builds.items() if other != name)
    }

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
from dataclasses import dataclass
from typing import Any, Protocol

from tasklib import process
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.source import Source
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.images.inputs import inputs_digest
from tasklib.stacks.images.ownership import tags_of, without_others
from tasklib.state.records import Origin

__all__ = ["Builds", "Memory"]

_TRUSTED = 24 * 3600.0
"""Seconds after which an image is built although nothing changed here: its base may have in its registry."""


@dataclass(frozen=True)
class _Image:
    """An image that is there now: its tag and id, and what it was built from where that is known."""

    tag: str
    id: str | None
    origin: Origin | None


class Memory(Protocol):
    """What is known of images beyond the run that builds them."""

    def built(self, project: str, tags: Iterable[str]) -> None:
        """``tags`` are about to be built for ``project``; what is told here can be removed.

        Among them are the ids of images that the build may leave without a tag.
        """
        ...

    def origin(self, project: str, tag: str) -> Origin | None:
        """What the image ``tag`` was last built from, where that is known."""
        ...

    def built_id(self, project: str, tag: str) -> str | None:
        """The id of what was last built for ``project`` under ``tag``.

        ``None`` where nothing was, "" where that was cut off before it was told.
        """
        ...

    def remember(self, project: str, ids: Mapping[str, str], origins: Mapping[str, Origin]) -> None:
        """The images of these tags were built, and from that where it is known."""
        ...


class Builds:
    """The images that this run has built or is building. Safe to use from threads."""

    def __init__(self, engine: Engine, memory: Memory) -> None:
        self._engine = engine
        self._memory = memory
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
            self._make(source, config, mine, env, on_line, cancel)
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
            built = _result(future, cancel)
            for tag in tags:
                self._engine.tag(built.tag, tag)
                if built.id:
                    ids[tag] = built.id
            if built.origin:
                origins[tags[0]] = built.origin
        if ids:
            self._memory.remember(project, ids, origins)

    def _make(
        self,
        source: Source,
        config: Mapping[str, Any],
        mine: Mapping[str, Future[_Image]],
        env: Mapping[str, str],
        on_line: Callable[[str], None],
        cancel: process.Cancel,
    ) -> None:
        project, services = str(config["name"]), {name: config["services"][name] for name in mine}
        inputs = self._inputs(services)
        changed = []
        for name, service in services.items():
            if origin := self._origin(project, service, inputs.get(name)):
                on_line(f"{name}: its image is built from just these files already")
                mine[name].set_result(_Image(str(service["image"]), origin.image, origin))
            else:
                changed.append(name)
        if not changed:
            return
        before = {name: self._before(project, str(services[name]["image"])) for name in changed}
        # What the tags name now will have no name soon: should we die then, only the record knows of it.
        self._memory.built(project, [image for image in before.values() if image])
        compose.build(source, config, changed, env, on_line, cancel)
        ids: dict[str, str] = {}
        origins = {}
        for name in changed:
            tag, old = str(services[name]["image"]), before[name]
            new = self._engine.image_id(tag)
            if new:
                ids |= dict.fromkeys(tags_of(services[name]), new)
            if new and name in inputs:
                origins[tag] = Origin(inputs[name], new)
            mine[name].set_result(_Image(tag, new, origins.get(tag)))
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


def _result(future: Future[_Image], cancel: process.Cancel) -> _Image:
    while True:
        cancel.check()
        try:
            return future.result(timeout=0.1)
        except TimeoutError:
            if future.done():
                raise

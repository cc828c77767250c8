"""Builds what the stacks of a run need, each distinct definition once.

The full stack and a service's own stack build the same image from the same folder. The first one that asks
builds it, the others get its image under their own names.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from tasklib import process
from tasklib.stacks import compose
from tasklib.stacks.engine import Engine

__all__ = ["Builds", "tags_of"]


def tags_of(service: Mapping[str, Any]) -> tuple[str, ...]:
    """Every tag that building a service of an isolated config makes, the one it runs from first."""
    if "build" not in service:
        return ()
    return tuple(dict.fromkeys([str(service["image"]), *map(str, service["build"].get("tags") or ())]))


class Builds:
    """The images that this run has built or is building. Safe to use from threads."""

    def __init__(self, engine: Engine, record: Callable[[str, Iterable[str]], None]) -> None:
        """``record(project, tags)`` is told before anything is built, so that it can be removed.

        Among the tags are the ids of images that the build may leave without one.
        """
        self._engine = engine
        self._record = record
        self._lock = threading.Lock()
        self._made: dict[str, Future[str]] = {}

    def build(
        self,
        source: compose.Source,
        config: Mapping[str, Any],
        env: Mapping[str, str],
        on_line: Callable[[str], None],
        cancel: process.Cancel,
    ) -> None:
        """Make the images of all services of ``config`` that have a ``build``.

        Raises :class:`~tasklib.errors.StackError` when one cannot be built.
        """
        services = {name: s for name, s in config["services"].items() if "build" in s}
        if not services:
            return
        self._record(str(config["name"]), [tag for service in services.values() for tag in tags_of(service)])
        mine: dict[str, Future[str]] = {}
        others: list[tuple[Future[str], tuple[str, ...]]] = []
        bases = _bases(services)
        with self._lock:
            for name, service in services.items():
                key = _key(service["build"])
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
            self._tag([other for other in others if other[0] not in own], cancel)
            self._make(source, config, mine, env, on_line, cancel)
        except BaseException as error:
            for future in own:
                if not future.done():
                    future.set_exception(error)
            raise
        self._tag([other for other in others if other[0] in own], cancel)

    def _tag(self, others: Iterable[tuple[Future[str], tuple[str, ...]]], cancel: process.Cancel) -> None:
        for future, tags in others:
            built = _result(future, cancel)
            for tag in tags:
                self._engine.tag(built, tag)

    def _make(
        self,
        source: compose.Source,
        config: Mapping[str, Any],
        mine: Mapping[str, Future[str]],
        env: Mapping[str, str],
        on_line: Callable[[str], None],
        cancel: process.Cancel,
    ) -> None:
        if not mine:
            return
        before = {name: self._engine.image_id(str(config["services"][name]["image"])) for name in mine}
        # What the tags name now will have no name soon: should we die then, only the record knows of it.
        self._record(str(config["name"]), [image for image in before.values() if image])
        compose.build(source, config, list(mine), env, on_line, cancel)
        for name, future in mine.items():
            tag = str(config["services"][name]["image"])
            future.set_result(tag)
            old = before[name]
            if old and old != self._engine.image_id(tag):
                # What the tag named before is nobody's now, unless another tag or a container holds it.
                self._engine.remove(self._engine.images([old]))


def _key(build: Mapping[str, Any]) -> str:
    """What decides the content of an image: everything of a build but the names it gets."""
    return json.dumps({k: v for k, v in build.items() if k != "tags"}, sort_keys=True)


def _bases(services: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The services whose images other builds mention."""
    builds = {name: json.dumps(service["build"]) for name, service in services.items()}
    return {
        name
        for name, service in services.items()
        if any(str(service["image"]) in text for other, text in builds.items() if other != name)
    }


def _result(future: Future[str], cancel: process.Cancel) -> str:
    while True:
        cancel.check()
        try:
            return future.result(timeout=0.1)
        except TimeoutError:
            if future.done():
                raise

"""Images that somebody has built already, from the registry by the digest of what they are made from.

What the registry does not have is built, as is everything where it cannot be asked: that is said once and
ends no run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from tasklib import process
from tasklib.project import Project
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.images.awaiting import awaited
from tasklib.stacks.images.inputs import base_images, contents_digest
from tasklib.stacks.images.registry import Refused, Registry, by_docker
from tasklib.stacks.references import parse_reference

__all__ = ["SharedImages", "shared_images"]

_DAY = 24 * 3600


class SharedImages:
    """One run's dealings with the registry, for all of its engines. Safe to use from threads."""

    def __init__(
        self, name: str, notice: Callable[[str], None], *, pushes: bool, registry: Registry = by_docker
    ) -> None:
        """``name`` is what ``images.name`` says; what is built is pushed where the run ``pushes``."""
        self._name, self._notice, self._registry = name, notice, registry
        self.pushes = pushes
        self._silent: set[tuple[str, str]] = set()
        self._bases: dict[tuple[str, str], Future[None]] = {}
        self._making: dict[str, Future[None]] = {}
        self._lock = threading.Lock()

    def bring_bases(self, built: Mapping[str, Any], engine: Engine, cancel: process.Cancel) -> None:
        """Have on the engine what the rendered service ``built`` stands on, as far as registries have it.

        Only what is missing is pulled: the name of an image that is there may be somebody else's elsewhere.
        """
        for image in base_images(built):
            key = (engine.facts.id, image)
            with self._lock:
                known = key in self._bases
                coming = self._bases.setdefault(key, Future())
            if known:
                awaited(coming, cancel)
                continue
            try:
                if engine.image_id(image) is None:
                    self._pull(image, engine, cancel)
            finally:
                coming.set_result(None)

    def reference(self, service: str, built: Mapping[str, Any], engine: Engine) -> str | None:
        """What the image of the rendered service ``built`` is called; ``None`` where that cannot be told."""
        name = self._name.replace("{service}", service.lower())
        if parse_reference(name) is None or self._is_silent("pull", name):
            return None
        day = int(time.time() // _DAY)
        digest = contents_digest(built, engine.base_image, engine.facts.platform, day)
        return digest and f"{name}:inputs-{digest}"

    def fetch(self, reference: str, engine: Engine, cancel: process.Cancel) -> str | None:
        """The id that the image has on the engine now; ``None`` where the registry has none."""
        if not self._pull(reference, engine, cancel):
            return None
        return engine.image_id(reference)

    def give(self, reference: str, image: str, engine: Engine, cancel: process.Cancel) -> None:
        """Push what was built, unless the registry gave no answer before."""
        if self._is_silent("pull", reference) or self._is_silent("push", reference):
            return
        engine.tag(image, reference)
        try:
            self._registry.push(reference, engine.facts.address, cancel)
        except Refused as refused:
            self._say("push", reference, refused)
        finally:
            self.forget(reference, engine)

    def forget(self, reference: str, engine: Engine) -> None:
        """Take from the engine what only the registry needs: the image has names of the stack's own."""
        engine.remove(engine.images([reference]))

    # -- once for all engines ----------------------------------------------------------------------------

    def mine(self, reference: str) -> bool:
        """Whether the caller is the one to make it, who calls :meth:`made` in any case."""
        with self._lock:
            if not self.pushes or reference in self._making:
                return not self.pushes
            self._making[reference] = Future()
            return True

    def made(self, reference: str) -> None:
        """It is in the registry now, or never will be."""
        with self._lock:
            future = self._making.get(reference)
        if future and not future.done():
            future.set_result(None)

    def wait(self, reference: str, cancel: process.Cancel) -> None:
        """Until whoever makes it has."""
        awaited(self._making[reference], cancel)

    # -- the registry ------------------------------------------------------------------------------------

    def _pull(self, reference: str, engine: Engine, cancel: process.Cancel) -> bool:
        if self._is_silent("pull", reference):
            return False
        try:
            return self._registry.pull(reference, engine.facts.address, cancel)
        except Refused as refused:
            self._say("pull", reference, refused)
            return False

    def _is_silent(self, what: str, reference: str) -> bool:
        with self._lock:
            return (what, _registry(reference)) in self._silent

    def _say(self, what: str, reference: str, why: Refused) -> None:
        """Once a run: a registry that does not do it once is not asked again."""
        registry = _registry(reference)
        with self._lock:
            said = (what, registry) in self._silent
            self._silent.add((what, registry))
        if not said:
            self._notice(f"{registry} does not let us {what} images, this run does without ({why})")


def _registry(reference: str) -> str:
    found = parse_reference(reference)
    return found.registry if found else reference


def shared_images(project: Project, notice: Callable[[str], None]) -> SharedImages | None:
    """What a run of the project asks for images; ``None`` where it does not."""
    if project.image_name is None or not project.reuses_images:
        return None
    return SharedImages(project.image_name, notice, pushes=project.pushes_images)

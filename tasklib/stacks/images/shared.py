"""Images that somebody has built already, from the registry by the digest of what they are made from.

What the registry does not have is built, as is everything where it cannot be asked: that is said once and
ends no run.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol

from tasklib import process
from tasklib.project import Project
from tasklib.stacks.address import EngineAddress, docker_environment
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import BaseImage
from tasklib.stacks.images.inputs import contents_digest
from tasklib.stacks.references import of_repository, parse_reference

__all__ = ["Refused", "Registry", "SharedImages", "by_docker", "shared_images"]

_DAY = 24 * 3600

_LOOK = 0.1

_PATIENCE = 600.0
"""Seconds that an image may take to come or to go."""

_UNKNOWN = ("manifest unknown", "not found", "name unknown")
"""What registries say of what they do not have."""


class Registry(Protocol):
    """What moves images between engines and registries; both raise :class:`Refused`."""

    def pull(self, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> bool:
        """Whether the registry has it, and the engine, too, now."""
        ...

    def push(self, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> None: ...


class Refused(Exception):
    """Why a registry does not do what it is asked."""


class _Docker:
    """Docker's own commands, which know the logins."""

    def pull(self, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> bool:
        why = self._ask("pull", reference, engine, cancel)
        if why and not any(word in why for word in _UNKNOWN):
            raise Refused(why)
        return not why

    def push(self, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> None:
        if why := self._ask("push", reference, engine, cancel):
            raise Refused(why)

    def _ask(self, what: str, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> str:
        """Why it did not; empty: it did."""
        argv, env = ["docker", what, "--quiet", "--", reference], docker_environment(address=engine)
        try:
            done = process.run(argv, env=env, timeout=_PATIENCE, cancel=cancel, check=False)
        except (process.CommandError, process.TimedOut) as error:
            return error.what
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        return (lines[-1] if lines else f"docker left with code {done.code}") if done.code else ""


by_docker: Registry = _Docker()


class SharedImages:
    """One run's dealings with the registry, for all of its engines. Safe to use from threads."""

    def __init__(
        self, name: str, notice: Callable[[str], None], *, pushes: bool, registry: Registry = by_docker
    ) -> None:
        """``name`` is what ``images.name`` says; what is built is pushed where the run ``pushes``."""
        self._name, self._notice, self._registry = name, notice, registry
        self.pushes = pushes
        self._silent: set[tuple[str, str]] = set()
        self._fresh: set[tuple[str, str]] = set()
        self._making: dict[str, Future[None]] = {}
        self._lock = threading.Lock()

    def reference(
        self, service: str, built: Mapping[str, Any], engine: Engine, cancel: process.Cancel
    ) -> str | None:
        """What the image of the rendered service ``built`` is called; ``None`` where that cannot be told."""
        name = self._name.replace("{service}", service.lower())
        if parse_reference(name) is None or self._is_silent("pull", name):
            return None

        def base(image: str) -> BaseImage | None:
            return self._base(image, engine, cancel)

        digest = contents_digest(built, base, engine.facts.platform, int(time.time() // _DAY))
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
        while not self._making[reference].done():
            cancel.check()
            with contextlib.suppress(TimeoutError):
                self._making[reference].result(timeout=_LOOK)

    # -- the registry ------------------------------------------------------------------------------------

    def _base(self, image: str, engine: Engine, cancel: process.Cancel) -> BaseImage | None:
        """An image to build on, as its registry has it now, so that all machines mean the same.

        One that came from no registry is not asked for: the same name may be somebody else's there.
        """
        found = engine.base_image(image)
        with self._lock:
            known = (engine.facts.id, image) in self._fresh
            self._fresh.add((engine.facts.id, image))
        if known or (found and not of_repository(image, found.digests)):
            return found
        self._pull(image, engine, cancel)
        return engine.base_image(image)

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

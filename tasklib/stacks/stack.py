"""One stack of this instance: prepared, built, up, torn down whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from tasklib import process
from tasklib.errors import Interrupted, StackError
from tasklib.isolation import Instance
from tasklib.listener import Listener
from tasklib.results import ContainerLog
from tasklib.stacks import aftermath
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.failures import NotReady, missing_image
from tasklib.stacks.endpoints import Endpoint, endpoints
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.patience import blaming, listening
from tasklib.stacks.engine.values import SERVICE_LABEL, Container, Resource
from tasklib.stacks.filling import fill
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.inside import Inside
from tasklib.stacks.labels import labels
from tasklib.stacks.neighbours import made_meanwhile, make_room, names_of, others
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.preparation import Prepared, checkout_root, prepare
from tasklib.stacks.rewrite import in_memory, leaning, only_compose_can_start, replica_count, stores
from tasklib.stacks.starting.startup import Startup, read_logs
from tasklib.stacks.starting.steps import StartPlan
from tasklib.stacks.starting.whole import is_whole

__all__ = ["Stack"]

R = TypeVar("R")

_ATTEMPTS = 5
"""How often ports and subnets are chosen anew when someone else takes them first."""

_LATE = "it takes too long"


class Stack:
    """A stack of this instance on this engine.

    :meth:`prepare` and :meth:`build` change nothing that runs; :meth:`create` and :meth:`up` may leave
    containers behind when they fail, so whoever calls them calls :meth:`down`.
    """

    def __init__(
        self,
        plan: StackPlan,
        instance: Instance,
        engine: Engine,
        listener: Listener | None = None,
        bakery: Callable[[Prepared, process.Cancel], Prepared] | None = None,
    ) -> None:
        """``bakery`` has the stores of a prepared stack start from what they initialised before."""
        self.plan = plan.on(engine.facts.address)
        self.project = instance.project(plan.name)
        self.labels = labels(instance, plan.name)
        self._instance = instance
        self._engine = engine
        self._listener = listener or Listener()
        self._bakery = bakery
        self._prepared: Prepared | None = None
        self._created: frozenset[str] = frozenset()
        self._ready: tuple[Container, ...] = ()
        self._others: tuple[str, ...] | None = None
        self.cut_off = False
        """Whether Compose was ended while it created: the engine may go on with what it had asked for."""

    @property
    def prepared(self) -> Prepared:
        """What :meth:`prepare` found."""
        if self._prepared is None:
            raise RuntimeError("prepare() comes first")
        return self._prepared

    def prepare(self, cancel: process.Cancel) -> None:
        """Render and isolate.

        Raises :class:`~tasklib.errors.ConfigError` for what cannot be isolated.
        """
        self._prepared = prepare(self.plan, self._instance, self._engine, cancel)
        self._prepared.refuse_problems()
        for hint in self._prepared.isolation.hints:
            if hint.loud:
                self._listener.notice(f"{hint.service}: {hint.variable} {hint.what}")

    def build(self, builds: Builds, cancel: process.Cancel) -> None:
        """Build the stack's images, and bake its stores.

        Raises :class:`~tasklib.errors.StackError` when an image cannot be built.
        """
        with blaming(self._engine.heart), listening(self._engine.heart, cancel) as own:
            builds.build(self.plan.source, self.prepared.config, self.prepared.env, self._listener.line, own)
            if self._bakery:
                self._prepared = self._bakery(self.prepared, own)

    def create(self, cancel: process.Cancel) -> None:
        """Make networks, volumes and containers and start nothing, where that can be done apart.

        Raises :class:`~tasklib.errors.StackError`, and :class:`~tasklib.errors.EngineError` where the engine
        falls silent.
        """
        if only_compose_can_start(self.prepared.config):
            return
        with listening(self._engine.heart, cancel) as own:
            late = threading.Timer(self.plan.ready_timeout, own.set, (_LATE,))
            late.start()
            try:
                self._retried(lambda: self._launch(own))
            except Interrupted:
                if own.reason == _LATE and not cancel.is_set():
                    raise self._late() from None
                raise
            finally:
                late.cancel()
        self._created = self._what_is_there()

    def _late(self) -> NotReady:
        there = {container.service for container in self._engine.containers(self.project)}
        services = self.prepared.config["services"].items()
        missing = [name for name, service in services if replica_count(service) and name not in there]
        waited = ", ".join(f"{name} (not created)" for name in missing) or "Compose"
        return NotReady(
            f"{self.plan.title} was not ready after {self.plan.ready_timeout:g} s, waiting for {waited}"
        )

    def up(self, cancel: process.Cancel) -> tuple[Endpoint, ...]:
        """Create what is not created yet, start, wait until every container is ready.

        Returns where the ports are reachable. Raises :class:`~tasklib.stacks.compose.failures.NotReady`
        naming the container at fault.
        """
        if self._created and not self._created <= self._what_is_there():
            # Someone cleaned up: what does not run yet counts as garbage.
            self.down()
        return self._retried(lambda: endpoints(self._follow(cancel)))

    def _follow(self, cancel: process.Cancel) -> tuple[Container, ...]:
        found = tuple(self._startup().follow(cancel))
        self._ready = found
        return found

    def look_around(self) -> tuple[str, ...]:
        """What else is in its project: what appears from now on, its users make, and it goes with it."""
        self._others = names_of(others(self._engine, self.project))
        return self._others

    @property
    def holds_data(self) -> bool:
        """Whether a service of it holds data."""
        return bool(stores(self.prepared.config))

    def renew(self) -> None:
        """Remove its stores with their data, and what depends on them: :meth:`up` makes them anew."""
        config = self.prepared.config
        kept = stores(config)
        going = kept | leaning(config, kept)
        mounts = [mount for name in going for mount in config["services"][name].get("volumes") or ()]
        keys = {str(mount.get("source")) for mount in mounts if mount.get("type") == "volume"}
        volumes = {str((config.get("volumes") or {}).get(key, {}).get("name", "")) for key in keys}
        found = self._engine.owned(self.labels, kinds=("container", "volume"))
        self._engine.remove(
            [
                resource
                for resource in found
                if (resource.kind == "container" and resource.labels.get(SERVICE_LABEL) in going)
                or (resource.kind == "volume" and resource.name in volumes)
            ]
        )

    def forgot(self) -> tuple[str, ...]:
        """The services that lost their data since :meth:`up`: in memory, and their container restarted."""
        now = self._engine.containers(self.project)
        return aftermath.forgot(self._ready, now, in_memory(self.prepared.config))

    def starved(self) -> tuple[str, ...]:
        """The services in whose containers the kernel ended something for want of memory."""
        return aftermath.starved(self._engine.containers(self.project))

    def ended(self) -> tuple[str, ...]:
        """Lines that say which of its services have ended since :meth:`up`."""
        return aftermath.ended(self._ready, self._engine.containers(self.project))

    def _what_is_there(self) -> frozenset[str]:
        return frozenset(r.id for r in self._engine.owned(self.labels, kinds=("container", "network")))

    def _startup(self) -> Startup:
        plan = StartPlan(
            self.prepared.config,
            self.plan.title,
            self.plan.ready_timeout,
            starts=not only_compose_can_start(self.prepared.config),
            comes_back=self.prepared.comes_back,
            servers=self.prepared.servers,
            needs=self.plan.needs,
        )
        launch = (lambda cancel: None) if self._created else self._renewed
        return Startup(self._engine, plan, launch, self._listener)

    def _retried(self, step: Callable[[], R]) -> R:
        """Do ``step``; ports, subnets and names that someone else took meanwhile are chosen again."""
        for attempt in range(1, _ATTEMPTS + 1):
            if not self._created:
                self._prepared = self.prepared.addressed(self._engine, seed=f"{self.project} {attempt}")
            try:
                with blaming(self._engine.heart):
                    return step()
            except StackError as error:
                if attempt == _ATTEMPTS or not _is_race(str(error)):
                    raise
                self.down()
        raise AssertionError("unreachable")

    def _renewed(self, cancel: process.Cancel) -> None:
        """What was kept may be as it is meant to be: looking takes less time than starting Compose."""
        if not self._is_whole():
            self._launch(cancel)

    def _launch(self, cancel: process.Cancel) -> None:
        make_room(self._engine, self.project, self._instance, self.prepared.config["services"])
        try:
            starts = only_compose_can_start(self.prepared.config)
            if not starts or self._needs_more_than_compose():
                self._compose(compose.create, cancel)
                self._copy_in()
                self._engine.join(self.project)
            if starts:
                self._compose(compose.up, cancel)
        except StackError as error:
            raise missing_image(self.prepared.config, self._engine.image_id, error) or error from None
        except Interrupted:
            self.cut_off = True
            raise

    def _is_whole(self) -> bool:
        """Whether Compose would find nothing to do."""
        config = self.prepared.config
        apart = only_compose_can_start(config) or self._needs_more_than_compose()
        return not apart and is_whole(config, self._engine.containers(self.project), self._engine.image_id)

    def _needs_more_than_compose(self) -> bool:
        """Whether something has to be done between creating and starting."""
        return bool(self.prepared.isolation.copies_in) or not self._engine.facts.reach.publishes

    def _compose(self, verb: Callable[..., None], cancel: process.Cancel) -> None:
        verb(self.plan.source, self.prepared.config, self.prepared.env, self._listener.line, cancel)

    def _copy_in(self) -> None:
        """Copy into created containers what they cannot mount; one that has run has it already."""
        for container in self._engine.containers(self.project):
            if container.state == "created":
                fill(self._engine, container, self.prepared.isolation.copies_in)

    def inside(self, service: str) -> Inside:
        """Containers of our own from ``service``. Raises :class:`~tasklib.errors.ConfigError` without it."""
        return Inside(self.prepared, self._engine, service)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where the ports are now: a container that restarted has others."""
        return endpoints(self._engine.containers(self.project))

    def logs(self, *, since: float = 0.0, tail: int = 200) -> tuple[ContainerLog, ...]:
        """The last ``tail`` lines of every container from ``since`` (seconds since the epoch) on."""
        return read_logs(self._engine, self._engine.containers(self.project), since=since, tail=tail)

    def down(self) -> tuple[Resource, ...]:
        """Remove everything of this stack; returns what could not be removed. Nothing there is no error."""
        self._created = frozenset()
        beside = self._made_by_tests()
        if names := sorted(resource.name for resource in beside if resource.kind == "container"):
            self._listener.notice(
                f"{', '.join(names)}: made by `docker compose` of other files in {self.project}, and removed "
                "with it; `-p` gives such files a project of their own"
            )
        found = (*self._engine.owned(self.labels), *beside)
        self._others = None
        gone = {(resource.kind, resource.id) for resource in self._engine.remove(found)}
        return tuple(resource for resource in found if (resource.kind, resource.id) not in gone)

    def _made_by_tests(self) -> tuple[Resource, ...]:
        """Only since we looked around: what was there before may be anybody's, and hold data."""
        if self._others is None:
            return ()
        now = others(self._engine, self.project)
        return made_meanwhile(self._others, now, checkout_root(self.plan.source.root))


def _is_race(text: str) -> bool:
    """Whether someone else took a port or a subnet between our choice and the engine's.

    A name can be taken by what the engine was still creating for a run that was killed.
    """
    taken = ("port is already allocated", "address already in use", "Pool overlaps", "is already in use by")
    return any(words in text for words in taken)

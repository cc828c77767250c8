"""PURE: what to do next about a stack that starts, from what is seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.errors import StackError
from tasklib.stacks.engine.values import Container
from tasklib.stacks.rewrite import replica_count
from tasklib.stacks.servers import Server
from tasklib.stacks.starting import order, readiness

__all__ = [
    "Again",
    "Broken",
    "Done",
    "Gone",
    "Late",
    "Look",
    "Lost",
    "Seen",
    "StartPlan",
    "Step",
    "Wait",
    "next_step",
]

_AGAIN = 10
"""How often a container that ended with 0 is started again, where its file says that it always is."""

_CRASHES = 6
"""Restarts after which a crash is no matter of a moment: the engine waits twice as long before each."""

_IN_VAIN = 2
"""Restarts that a crashing container gets once it waits for nobody any more: each is a whole try."""

_LOOPS = 3
"""Restarts from which on a container crashes rather than comes up, as a server does that starts twice."""


class StartPlan(Struct, frozen=True):
    """What is to start: ``config`` is what Compose is given, ``title`` what people call it.

    ``timeout``: seconds it may take. ``starts``: whether we start what Compose only creates. ``comes_back``:
    the services that their file has started again whatever they end with, where the engine does not do it.
    ``servers``: the known ones, by service. ``needs``: the services that the settings name as needed.
    """

    config: Mapping[str, Any]
    title: str
    timeout: float
    starts: bool = True
    comes_back: frozenset[str] = frozenset()
    servers: Mapping[str, Server] = field(default_factory=lambda: MappingProxyType({}))
    needs: frozenset[str] = frozenset()

    @property
    def services(self) -> tuple[str, ...]:
        """The services that have to have a container."""
        return tuple(name for name, row in self.config["services"].items() if replica_count(row))


class Seen(Struct, frozen=True):
    """One look at a stack.

    ``lacks``: what running containers lack, by id. ``before``: the ids of those that were there before us.
    ``launched``: Compose has ended, ``failure`` is what it failed with. ``pending``: the ids of those that
    are created and still to be started; ``asked``: the lives that the engine was asked to follow by another;
    ``refused``: why it does not, by id; ``again``: how often each was started again. ``alone``: the restarts
    that crashing containers had when nothing else was awaited any more, by id. ``fresh``: nothing of
    the look is older than the end of the last wait. ``late``: time is over.
    """

    containers: tuple[Container, ...]
    lacks: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    before: frozenset[str] = frozenset()
    launched: bool = True
    failure: BaseException | None = None
    pending: frozenset[str] = frozenset()
    asked: frozenset[tuple[str, str]] = frozenset()
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    again: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    alone: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    fresh: bool = True
    late: bool = False


class Done(Struct, frozen=True):
    """The stack is ready."""


class Look(Struct, frozen=True):
    """It seems ready: believe it once it still is when all containers are looked at."""


class Again(Struct, frozen=True):
    """Compose lost patience with what may still come: launch once more."""


class Lost(Struct, frozen=True):
    """It cannot become ready any more because of ``container``."""

    container: Container
    why: str


class Gone(Struct, frozen=True):
    """Somebody else removed what Compose had created: ``services`` have no container any more."""

    services: tuple[str, ...]


class Broken(Struct, frozen=True):
    """Compose failed."""

    error: BaseException


class Late(Struct, frozen=True):
    """Time is over; ``reasons`` says what each service lacks."""

    reasons: Mapping[str, str]


class Wait(Struct, frozen=True):
    """Start these, and wait for something to change.

    ``awaited`` is what people are told, ``polls`` whether the engine will not tell of what is awaited.
    ``alone``: the crashing containers, where nothing else is awaited.
    """

    start: tuple[Container, ...] = ()
    awaited: tuple[str, ...] = ()
    polls: bool = False
    alone: tuple[Container, ...] = ()


Step = Done | Look | Again | Lost | Gone | Broken | Late | Wait


def next_step(plan: StartPlan, seen: Seen) -> Step:
    """What to do about a stack of ``plan`` that looks like ``seen``."""
    for container in seen.containers:
        if why := seen.refused.get(container.id):
            return Lost(container, f"cannot start: {readiness.start_error(why)}")
    # What was there before may be on its way out, to be replaced: that is no failure.
    new = [c for c in seen.containers if seen.launched or c.id not in seen.before]
    coming = {c.id for c in new if _comes_back(plan, seen, c)}
    counted = tuple(_as_pending(c) if c.id in seen.pending | coming else c for c in new)
    spared = order.optional(plan.config) - plan.needs
    verdict = readiness.judge(plan.services, counted, seen.lacks, spared)
    if isinstance(verdict, readiness.Failed):
        return Lost(verdict.container, verdict.why)
    needed = (c for c in counted if c.service not in spared and _crashes_in_vain(seen, c))
    if crashing := next(needed, None):
        tries = f"{crashing.restarts} restarts, and nothing else is awaited"
        return Lost(crashing, f"keeps ending with code {crashing.exit_code} ({tries})")
    if seen.failure:
        impatient = isinstance(verdict, readiness.Waiting) and _is_impatience(seen.failure)
        return Again() if impatient else Broken(seen.failure)
    if seen.launched and isinstance(verdict, readiness.Ready):
        return Done() if seen.fresh else Look()
    if seen.launched and (gone := readiness.missing(plan.services, seen.containers)):
        return Gone(gone) if seen.fresh else Look()
    reasons = verdict.reasons if isinstance(verdict, readiness.Waiting) else {}
    if seen.late:
        return Late(reasons)
    awaited = _awaited(plan, seen, reasons)
    told = tuple(f"{name}: {reasons[name]}" for name in awaited)
    return Wait(_startable(plan, seen, coming), told, bool(seen.lacks), _alone(counted, awaited))


def _crashes_in_vain(seen: Seen, container: Container) -> bool:
    """Whether it ended too often, also since all is there that it may have waited for by crashing."""
    tried = container.restarts - seen.alone.get(container.id, container.restarts)
    return container.state == "restarting" and container.restarts >= _CRASHES and tried >= _IN_VAIN


def _alone(containers: tuple[Container, ...], awaited: tuple[str, ...]) -> tuple[Container, ...]:
    """The containers of the ``awaited`` services, where all of them crash again and again."""
    found = tuple(c for c in containers if c.service in awaited)
    return found if all(c.restarts >= _LOOPS for c in found) else ()


def _startable(plan: StartPlan, seen: Seen, coming: set[str]) -> tuple[Container, ...]:
    if not seen.launched:
        return ()
    found = order.startable(plan.config, seen.containers, seen.pending) if plan.starts else ()
    once = {container_id for container_id, _ in seen.asked}
    back = [
        c
        for c in seen.containers
        if c.id in coming and c.life not in seen.asked and (c.id in once or c.id not in seen.pending)
    ]
    return (*(c for c in found if c.id not in once), *back)


def _comes_back(plan: StartPlan, seen: Seen, container: Container) -> bool:
    """Whether a container that ended with 0 is to run, and not to have run."""
    return (
        container.state == "exited"
        and not container.exit_code
        and not container.error
        and container.service in plan.comes_back
        and bool(container.ports or container.health_test)
        and (seen.again.get(container.id, 0) < _AGAIN or container.life in seen.asked)
    )


def _as_pending(container: Container) -> Container:
    """A job that ran when the stack was up before has to run again: it is not done yet."""
    ended = container.state == "exited"
    return replace(container, state="created", error="") if ended else container


def _awaited(plan: StartPlan, seen: Seen, reasons: Mapping[str, str]) -> tuple[str, ...]:
    """Who is waited for: what waits for others says nothing that they do not say themselves."""
    return tuple(
        name
        for name in sorted(reasons)
        if not any(order.unmet(plan.config, name, seen.containers, seen.pending))
    )


def _is_impatience(error: BaseException) -> bool:
    return isinstance(error, StackError) and "dependency failed to start" in str(error)

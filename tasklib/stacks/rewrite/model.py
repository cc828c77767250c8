"""What goes into the rewriting and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field

from tasklib.project import Shared
from tasklib.reach import HERE, Reach

__all__ = ["Bake", "Change", "CopyIn", "Facts", "Hint", "Isolation", "LocalState", "Problem"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Bake(Struct, frozen=True):
    """What a data store starts from instead of its image: ``tag`` holds what it initialised before.

    ``environment`` is added to its own, ``command`` comes in place of its own, and so does ``health_test``
    where there is one.
    """

    tag: str
    environment: Mapping[str, str]
    command: tuple[str, ...]
    health_test: tuple[str, ...] = ()


class LocalState(Struct, frozen=True):
    """A file or ``folder`` of this machine; ``digest`` is another one once something of it has changed."""

    folder: bool
    digest: str


class CopyIn(Struct, frozen=True):
    """What is copied into the containers of a service before they start: ``source`` to ``target``.

    ``mode``, ``uid`` and ``gid`` are the file's own unless the config says others.
    """

    service: str
    source: str
    target: str
    state: LocalState
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


class Facts(Struct, frozen=True):
    """Everything the decision needs from outside the rendered config, so that it stays pure.

    ``start_interval``: the engine knows it (Engine 25, API 1.44). ``cpus``: of the engine's machine.
    ``subnets``: network key → subnet (``10.1.2.32/27``) that is this stack's; a missing key leaves the choice
    to the engine. ``ports``: ``TASKLIB_PORT_API_8000`` → the host port kept free for service api, port 8000.
    ``kept``: the stack keeps its data, so nothing of it lives in memory and it stops gracefully.
    ``shared``: what the project allows its tests to touch. ``checkout_root``: absolute; without it every
    writable mount counts as outside. ``probe``: the same files rendered with another TEST_INSTANCE_ID; a name
    that differs there is one the file scopes itself. ``image_volumes``: image → the VOLUME paths it declares.
    ``dockerfiles``: service → text of its Dockerfile. ``persistent``: keys of volumes and services whose data
    stays on disk, or ``all``. ``publish``: service → the container ports that tests need.
    ``held_back``: services that are built and not started, since tests run in their images. ``projects``:
    what plain Compose calls the project, by which the file's own values may go. ``mounted``: the texts
    of settings that containers are given as files. ``reach``: how tests get to containers.
    ``local``: source of a mount → what is there on this machine, where the engine's has not all of it.
    ``copy_in``: folders whose copies may be written to.
    """

    start_interval: bool = False
    cpus: int = 2
    subnets: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    ports: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    kept: bool = False
    shared: Shared = field(default_factory=Shared)
    checkout_root: str | None = None
    probe: Mapping[str, Any] | None = None
    image_volumes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    dockerfiles: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    persistent: frozenset[str] = frozenset()
    publish: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: _NOTHING)
    held_back: frozenset[str] = frozenset()
    projects: tuple[str, ...] = ()
    unset: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    mounted: tuple[str, ...] = ()
    real_paths: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    bakes: Mapping[str, Bake] = field(default_factory=lambda: _NOTHING)
    reach: Reach = HERE
    local: Mapping[str, LocalState] = field(default_factory=lambda: _NOTHING)
    copy_in: frozenset[str] = frozenset()


class Change(Struct, frozen=True):
    """One value that the isolated config holds differently, the rule that did it and why.

    ``path`` is readable (``services.api.ports[0]``); ``before`` and ``after`` are JSON values, ``None`` where
    there is nothing.
    """

    rule: str
    path: str
    before: Any
    after: Any
    why: str


class Problem(Struct, frozen=True):
    """What the file shares with the world outside and no rewriting can take away; ``up`` refuses it."""

    path: str
    what: str
    remedy: str


class Hint(Struct, frozen=True):
    """A value that may be wrong in an isolated stack, by service and by where it stands (``variable``).

    ``loud``: it is said whenever the stack comes up, not only by who asks for the config.
    """

    service: str
    variable: str
    what: str
    loud: bool = False


class Isolation(Struct, frozen=True):
    """The isolated config and the reasons for it.

    ``config`` is JSON-able and what Compose is given. ``built_images`` are all tags that building it makes,
    ``copies_in`` what its containers lack until it is copied into them, ``published`` the host ports that the
    file says, to the service and the container port.
    """

    config: dict[str, Any]
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    hints: tuple[Hint, ...] = ()
    built_images: tuple[str, ...] = ()
    copies_in: tuple[CopyIn, ...] = ()
    published: Mapping[int, tuple[str, int]] = field(default_factory=dict)

    def by_rule(self) -> dict[str, tuple[Change, ...]]:
        """The changes of each rule, in the order in which the rules first changed something."""
        rules = dict.fromkeys(change.rule for change in self.changes)
        return {rule: tuple(change for change in self.changes if change.rule == rule) for rule in rules}

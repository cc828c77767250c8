"""What a claim is: whose an id is on an engine, as it is remembered here and marked there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tasklib.errors import TasklibError
from tasklib.instance.identity import Identity, known_id
from tasklib.isolation import Instance, with_hash
from tasklib.state.liveness import ProcessIdentity, host_id, is_alive
from tasklib.state.store import State

__all__ = ["Arbiter", "Claim", "Holder", "Mark", "Resolved", "hashed_id", "lives", "owner", "same_branch"]


class Mark(Struct, frozen=True):
    """What stands on an engine under the name of a Compose project: whose that project is.

    ``host`` is its checkout's :func:`owner`, ``root`` where that was when it made the mark.
    """

    project: str
    checkout: str
    host: str
    root: str = ""

    def is_of(self, checkout: str, host: str) -> bool:
        """Whether it is that checkout's mark, made with that state folder."""
        return (self.checkout, self.host) == (checkout, host)


class Arbiter(Protocol):
    """An engine, as far as claims ask it. All users of an engine have the same one.

    It is asked while the claims of a state folder are locked, so each answer has to come in bounded time.
    """

    def owners(self, project: str) -> Collection[str]:
        """The checkouts that own resources of a Compose project ``P`` or of its service stacks ``P_…``.

        They are the values of the label; an empty one stands for resources without it.
        """
        ...

    def mark(self, wanted: Mark) -> Mark:
        """Set the mark unless the project has one; returns the one that it has now. One of many wins."""
        ...

    def unmark(self, mark: Mark) -> None:
        """Take the mark away, if it is this one that stands there."""
        ...

    def marks(self, host: str) -> tuple[Mark, ...]:
        """Every mark that was made by ``host``."""
        ...


class Resolved(Struct, frozen=True):
    """The instance of a checkout on its branch, as far as it is known.

    ``identity`` is what the branch asks for; ``instance.id`` may be that with a hash. ``root`` is the
    project's folder, ``notices`` are lines for the user.
    """

    instance: Instance
    identity: Identity
    root: Path
    notices: tuple[str, ...] = ()


class Holder(Struct, frozen=True):
    """A run that uses a claim, and its process."""

    run: str
    process: ProcessIdentity


class Claim(Struct, frozen=True):
    """One checkout's claim of one Compose project (``test-<id>``, service stacks included) on one engine.

    ``whole`` is the branch (or what else the id was made from), ``root`` the project's folder as last seen,
    ``at`` seconds since the epoch, ``exported`` whether a shell was given the id: when that brings something
    up with plain Compose, nobody tells us.
    """

    engine: str
    project: str
    id: str
    prefix: str
    whole: str
    checkout: str
    host: str
    root: str
    shared: bool = False
    at: float = 0.0
    holders: tuple[Holder, ...] = ()
    exported: bool = False

    @property
    def mark(self) -> Mark:
        return Mark(self.project, self.checkout, self.host, self.root)

    @property
    def living(self) -> tuple[Holder, ...]:
        """The holders that are not known to be dead."""
        return tuple(holder for holder in self.holders if is_alive(holder.process) is not False)

    @property
    def instance(self) -> Instance:
        return Instance(self.id, self.checkout, self.host, self.prefix)


def owner(state: State) -> str:
    """Who may judge whether a checkout still lives: this user on this machine, by the records in ``state``.

    Other users' checkouts may lie where we cannot see them, and so may those of another state folder.
    """
    whose = f"{os.getuid()} {os.path.realpath(state.root)}"
    return f"{host_id()}-{hashlib.sha256(os.fsencode(whose)).hexdigest()[:8]}"


def lives(claim: Claim) -> bool | None:
    """Whether the claim's checkout is still where it was seen; ``None`` where this machine cannot know."""
    if claim.host.partition("-")[0] != host_id():
        return None
    try:
        return known_id(Path(claim.root)) == claim.checkout
    except (OSError, TasklibError):
        return None  # it cannot be read


def same_branch(claim: Claim, resolved: Resolved) -> bool:
    """Whether the claim is this checkout's for this very branch."""
    instance = resolved.instance
    return (claim.checkout, claim.prefix, claim.whole) == (
        instance.checkout,
        instance.prefix,
        resolved.identity.whole,
    )


def hashed_id(resolved: Resolved) -> str:
    """The id of a checkout that came second: no other checkout and no other branch makes it."""
    whole = resolved.identity.whole
    return with_hash(whole, f"{whole}\0{resolved.instance.checkout}\0{resolved.instance.host}")

"""Which checkout has which id on which engine, so that two never share one by accident.

A claim is a record in the user's state folder, made and looked at under one lock per engine: the Compose
project ``test-<id>`` is this checkout's. It lasts while a run holds it, resources of it exist, or the
checkout is there whose shell was given it for plain Compose. Who comes second gets the id with a hash, and
keeps that as long. Other users' claims are in other state folders; their resources are seen on the engine.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from tasklib.checkout import Checkout
from tasklib.errors import StackError, TasklibError
from tasklib.instance.identity import INSTANCE_ID, Identity, checkout_id, known_id, raw_identity
from tasklib.isolation import Instance, project_name, with_hash
from tasklib.state.liveness import ProcessIdentity, host_id, is_alive
from tasklib.state.store import State, default_state

__all__ = ["Claim", "Claims", "Holder", "Owners", "Resolved", "lives", "owner", "resolve"]

Owners = Callable[[str], Collection[str]]
"""The checkouts (values of the label; an empty one for resources without it) that own resources of a Compose
project ``P`` or of its service stacks ``P_…``, asked of the engine. It is called while the claims are locked,
so it has to answer in bounded time."""

_FOLDER = "claims"


@dataclass(frozen=True)
class Resolved:
    """The instance of a checkout on its branch, as far as it is known.

    ``identity`` is what the branch asks for; ``instance.id`` may be that with a hash. ``root`` is the
    project's folder, ``notices`` are lines for the user.
    """

    instance: Instance
    identity: Identity
    root: Path
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Holder:
    """A run that uses a claim, and its process."""

    run: str
    process: ProcessIdentity


@dataclass(frozen=True)
class Claim:
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
    def instance(self) -> Instance:
        return Instance(self.id, self.checkout, self.host, self.prefix)


def resolve(
    checkout: Checkout,
    env: Mapping[str, str],
    *,
    prefix: str = "test",
    folder: Path | None = None,
    engine: str | None = None,
    state: State | None = None,
) -> Resolved:
    """The instance of the project in ``folder`` (the checkout's top), without claiming anything.

    What the checkout has claimed for this branch on ``engine`` (on any, where ``None``) is its id; else the
    id that it would get if it came up now. Raises :class:`~tasklib.errors.UsageError` for a TEST_INSTANCE_ID
    set by hand that cannot be used.
    """
    mine = checkout_id(checkout, folder)
    identity = raw_identity(checkout, env, mine)
    state = default_state(env) if state is None else state
    instance = Instance(identity.id, mine, owner(state), prefix)
    resolved = Resolved(instance, identity, folder or checkout.root)
    if not identity.shared:
        known = _everywhere(state) if engine is None else Claims(state, engine).all()
        for name in {claim.engine for claim in known}:
            Claims(state, name).moved(mine, resolved.root)
        resolved = replace(resolved, instance=replace(instance, id=_expected(known, resolved)))
    return replace(resolved, notices=_ignored(resolved))


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


class Claims:
    """The claims on one engine (its id, as ``docker info`` gives it)."""

    def __init__(self, state: State, engine: str) -> None:
        self._state = state
        self._engine = engine
        self._folder = State.name(_FOLDER, engine)

    def all(self) -> tuple[Claim, ...]:
        """Every claim, the latest first."""
        found = self._state.records(self._folder, Claim).values()
        return tuple(sorted(found, key=lambda claim: -claim.at))

    def of_checkout(self, checkout: str) -> tuple[Claim, ...]:
        """The claims of one checkout, whatever its branch is now; the latest first."""
        return tuple(claim for claim in self.all() if claim.checkout == checkout)

    def claim(
        self, resolved: Resolved, owners: Owners, holder: Holder | None = None, *, exported: bool = False
    ) -> Resolved:
        """Take the id for ``resolved``, or the one with a hash when it is taken; ``holder`` holds it.

        What is ``exported`` is held until :meth:`withdraw`, or until the checkout is gone. Looks again at
        every call: an id with a hash is given up once nothing of it is left. Raises
        :class:`~tasklib.errors.StackError` when not even the id with a hash is free.
        """
        with self._locked():
            known = self.all()
            claim = self._mine(known, resolved, owners) or self._free(known, resolved, owners)
            holders = {*_living(claim), *([holder] if holder else ())}
            claim = replace(
                claim,
                root=str(resolved.root),
                at=time.time(),
                holders=tuple(holders),
                exported=claim.exported or exported,
            )
            self._write(claim)
        notices = () if claim.id == resolved.identity.id else (self._second(known, resolved, claim),)
        return replace(resolved, instance=claim.instance, notices=(*resolved.notices, *notices))

    def release(self, instance: Instance, owners: Owners, run: str | None = None) -> bool:
        """End what ``run`` (and every dead run) holds of ``instance``; forget the claim when nothing is left.

        Returns whether the claim is gone: nobody holds it and its checkout owns nothing of it on the engine.
        """
        with self._locked():
            claim = self._state.read(self._name(instance.project(), instance.checkout), Claim)
            if claim is None:
                return True
            claim = replace(claim, holders=tuple(h for h in _living(claim) if h.run != run))
            if self._held(claim, owners):
                self._write(claim)
                return False
            self._forget(claim)
            return True

    def withdraw(self, instance: Instance, owners: Owners) -> None:
        """End what is exported of ``instance``, unless its checkout has something on the engine."""
        with self._locked():
            claim = self._state.read(self._name(instance.project(), instance.checkout), Claim)
            if claim is not None and claim.exported and claim.checkout not in owners(claim.project):
                claim = replace(claim, exported=False)
                if self._held(claim, owners):
                    self._write(claim)
                else:
                    self._forget(claim)

    def moved(self, checkout: str, root: Path) -> None:
        """Remember where ``checkout`` is now, so that its claims are not taken for those of a deleted one."""
        if any(claim.root != str(root) for claim in self.of_checkout(checkout)):
            with self._locked():
                for claim in self.of_checkout(checkout):
                    self._write(replace(claim, root=str(root)))

    def _mine(self, known: Collection[Claim], resolved: Resolved, owners: Owners) -> Claim | None:
        """What this checkout already has for this branch and still uses."""
        for claim in known:
            if _same(claim, resolved):
                if self._held(claim, owners):
                    return claim
                self._forget(claim)
        return None

    def _free(self, known: Collection[Claim], resolved: Resolved, owners: Owners) -> Claim:
        identity, instance = resolved.identity, resolved.instance
        for name in (identity.id, _hashed(resolved)):
            project = project_name(name, prefix=instance.prefix)
            if identity.shared or not self._taken(known, project, resolved, owners):
                same = [c for c in known if c.project == project and c.checkout == instance.checkout]
                return Claim(
                    engine=self._engine,
                    project=project,
                    id=name,
                    prefix=instance.prefix,
                    whole=identity.whole,
                    checkout=instance.checkout,
                    host=instance.host,
                    root=str(resolved.root),
                    shared=identity.shared,
                    holders=tuple(holder for claim in same for holder in claim.holders),
                    exported=any(claim.exported for claim in same),
                )
        raise StackError(
            f"resources of {project} exist on the engine and belong to someone else",
            remedy=f"Set {INSTANCE_ID} to an id of your own.",
        )

    def _taken(self, known: Collection[Claim], project: str, resolved: Resolved, owners: Owners) -> bool:
        """Whether someone else, or this checkout on another branch, has ``project``."""
        taken = False
        for claim in known:
            if claim.project != project or _same(claim, resolved):
                continue
            if self._held(claim, owners):
                taken = True
            else:
                self._forget(claim)
        return taken or bool(set(owners(project)) - {resolved.instance.checkout})

    def _held(self, claim: Claim, owners: Owners) -> bool:
        exported = claim.exported and lives(claim) is not False
        return exported or bool(_living(claim)) or claim.checkout in owners(claim.project)

    def _second(self, known: Collection[Claim], resolved: Resolved, claim: Claim) -> str:
        wanted = resolved.identity.id
        project = project_name(wanted, prefix=claim.prefix)
        first = next((c.root for c in known if c.project == project and c.checkout != claim.checkout), "")
        whose = f" by {first}" if first else ""
        return f"{project} is in use{whose}: this checkout runs as {claim.project}"

    def _name(self, project: str, checkout: str) -> str:
        return f"{self._folder}/{State.name(f'{project}@{checkout}')}"

    def _write(self, claim: Claim) -> None:
        self._state.write(self._name(claim.project, claim.checkout), claim)

    def _forget(self, claim: Claim) -> None:
        self._state.remove(self._name(claim.project, claim.checkout))

    def _locked(self) -> AbstractContextManager[None]:
        return self._state.lock(self._folder)


def _same(claim: Claim, resolved: Resolved) -> bool:
    """Whether the claim is this checkout's for this very branch."""
    instance = resolved.instance
    return (claim.checkout, claim.prefix, claim.whole) == (
        instance.checkout,
        instance.prefix,
        resolved.identity.whole,
    )


def _living(claim: Claim) -> tuple[Holder, ...]:
    return tuple(holder for holder in claim.holders if is_alive(holder.process) is not False)


def _hashed(resolved: Resolved) -> str:
    """The id of a checkout that came second: no other checkout and no other branch makes it."""
    whole = resolved.identity.whole
    return with_hash(whole, f"{whole}\0{resolved.instance.checkout}")


def _expected(known: Collection[Claim], resolved: Resolved) -> str:
    """The id that a claim would give, judged by records alone."""
    for claim in known:
        if _same(claim, resolved):
            return claim.id
    project = resolved.instance.project()
    others = (claim for claim in known if claim.project == project)
    if any(_living(claim) or lives(claim) is not False for claim in others):
        return _hashed(resolved)
    return resolved.identity.id


def _ignored(resolved: Resolved) -> tuple[str, ...]:
    """The line about an id that tasklib exported elsewhere, or before the branch changed."""
    given = resolved.identity.ignored
    if resolved.identity.foreign:
        return (f"{INSTANCE_ID}={given} comes from another checkout and is ignored",)
    if given and given != resolved.instance.id:
        return (f"{INSTANCE_ID}={given} was exported for another branch and is ignored",)
    return ()


def _everywhere(state: State) -> tuple[Claim, ...]:
    """The claims on every engine, the latest first."""
    found = [claim for folder in state.folders(_FOLDER) for claim in state.records(folder, Claim).values()]
    return tuple(sorted(found, key=lambda claim: -claim.at))

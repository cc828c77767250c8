"""Which checkout has which id on which engine, so that two never share one by accident.

A claim is a record in the user's state folder and a mark on the engine under the name of the Compose project
``test-<id>``. The record is made and looked at under one lock per engine; the mark is what other users, and
other state folders, have in common with us: the engine sets one of many, and whose it is has the id. A claim
lasts while a run holds it, resources of it exist, or the checkout is there whose shell was given it for plain
Compose. Who comes second gets the id with a hash, and keeps that as long.

Only who made a mark takes it away, under the lock of his records. Whether another user's run is dead cannot
be known from here: his mark stays until he comes back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec.structs import replace

from tasklib.errors import StackError
from tasklib.instance.claim import Arbiter, Claim, Holder, Resolved, hashed_id, lives, same_branch
from tasklib.instance.identity import INSTANCE_ID
from tasklib.isolation import Instance, project_name
from tasklib.state.store import State

__all__ = ["Claims", "everywhere"]

_FOLDER = "claims"


class Claims:
    """The claims on one engine (its id, as ``docker info`` gives it)."""

    def __init__(self, state: State, engine: str) -> None:
        self._state = state
        self._engine = engine
        self._folder = State.name(_FOLDER, engine)

    def all(self) -> tuple[Claim, ...]:
        """Every claim, the latest first."""
        return _latest_first(self._state.records(self._folder, Claim).values())

    def of_checkout(self, checkout: str) -> tuple[Claim, ...]:
        """The claims of one checkout, whatever its branch is now; the latest first."""
        return tuple(claim for claim in self.all() if claim.checkout == checkout)

    def claim(
        self, resolved: Resolved, arbiter: Arbiter, holder: Holder | None = None, *, exported: bool = False
    ) -> Resolved:
        """Take the id for ``resolved``, or the one with a hash when it is taken; ``holder`` holds it.

        What is ``exported`` is held until :meth:`withdraw`, or until the checkout is gone. Looks again at
        every call: an id with a hash is given up once nothing of it is left. Raises
        :class:`~tasklib.errors.StackError` when not even the id with a hash is free.
        """
        with self._locked():
            known = self.all()
            for before, wanted in self._candidates(known, resolved, arbiter):
                claim = replace(
                    wanted,
                    root=str(resolved.root),
                    at=time.time(),
                    holders=tuple({*wanted.living, *([holder] if holder else ())}),
                    exported=wanted.exported or exported,
                )
                if self._take(before, claim, arbiter):
                    break
            else:
                project = resolved.instance.project()
                raise StackError(
                    f"containers, networks or volumes of {project} are on the engine already, "
                    "and belong to another user or checkout",
                    remedy=f"Set {INSTANCE_ID} to an id of your own.",
                )
        notices = () if claim.id == resolved.identity.id else (_second(known, resolved, claim),)
        return replace(resolved, instance=claim.instance, notices=(*resolved.notices, *notices))

    def release(self, instance: Instance, arbiter: Arbiter, run: str | None = None) -> bool:
        """End what ``run`` (and every dead run) holds of ``instance``; forget the claim when nothing is left.

        Returns whether the claim is gone: nobody holds it and its checkout owns nothing of it on the engine.
        """
        with self._locked():
            claim = self._state.read(self._name(instance.project(), instance.checkout), Claim)
            return claim is None or self._ended(claim, arbiter, lambda holder: holder.run == run)

    def release_run(self, run: str, arbiter: Arbiter) -> None:
        """The same for every claim that ``run`` holds."""
        with self._locked():
            for claim in self.all():
                if any(holder.run == run for holder in claim.holders):
                    self._ended(claim, arbiter, lambda holder: holder.run == run)

    def withdraw(self, instance: Instance, arbiter: Arbiter) -> None:
        """End what is exported of ``instance``, unless its checkout has something on the engine."""
        with self._locked():
            claim = self._state.read(self._name(instance.project(), instance.checkout), Claim)
            if claim is not None and claim.checkout not in arbiter.owners(claim.project):
                self._ended(replace(claim, exported=False), arbiter)

    def sweep(self, host: str, arbiter: Arbiter) -> None:
        """Forget the claims that dead runs and deleted checkouts left, and marks of ``host`` without one."""
        marks = arbiter.marks(host)
        suspects = [claim for claim in self.all() if _may_be_over(claim)]
        if not suspects and not marks:
            return
        with self._locked():
            for claim in self.all():
                if _may_be_over(claim):
                    self._ended(claim, arbiter)
            claimed = {(claim.project, claim.checkout) for claim in self.all()}
            for mark in marks:
                if (mark.project, mark.checkout) not in claimed:
                    arbiter.unmark(mark)

    def moved(self, checkout: str, root: Path) -> None:
        """Remember where ``checkout`` is now, so that its claims are not taken for those of a deleted one."""
        if any(claim.root != str(root) for claim in self.of_checkout(checkout)):
            with self._locked():
                for claim in self.of_checkout(checkout):
                    self._write(replace(claim, root=str(root)))

    def _candidates(
        self, known: Collection[Claim], resolved: Resolved, arbiter: Arbiter
    ) -> Iterator[tuple[Claim | None, Claim]]:
        """What could be claimed, the best first, each after the claim that this checkout has of it now."""
        for claim in known:
            if same_branch(claim, resolved):
                if self._held(claim, arbiter):
                    yield claim, claim
                else:
                    self._forget(claim, arbiter)
        identity, instance = resolved.identity, resolved.instance
        for name in (identity.id, hashed_id(resolved)):
            project = project_name(name, prefix=instance.prefix)
            if identity.shared or not self._taken(known, project, resolved, arbiter):
                before = self._state.read(self._name(project, instance.checkout), Claim)
                yield (
                    before,
                    Claim(
                        engine=self._engine,
                        project=project,
                        id=name,
                        prefix=instance.prefix,
                        whole=identity.whole,
                        checkout=instance.checkout,
                        host=instance.host,
                        root=str(resolved.root),
                        shared=identity.shared,
                        holders=before.holders if before else (),
                        exported=before.exported if before else False,
                    ),
                )

    def _take(self, before: Claim | None, claim: Claim, arbiter: Arbiter) -> bool:
        """Whether the engine says that ``claim`` is this checkout's; ``before`` is put back if not.

        The record comes first: a mark that someone who is killed now leaves behind is on it. Resources are
        looked at last: whoever has some had the mark before them.
        """
        self._write(claim)
        taken = False
        try:
            taken = claim.shared or arbiter.mark(claim.mark).is_of(claim.checkout, claim.host)
            if taken and not claim.shared and (before is None or before.whole != claim.whole):
                taken = not set(arbiter.owners(claim.project)) - {claim.checkout}
                if not taken:
                    arbiter.unmark(claim.mark)
        finally:
            if not taken and before is not None:
                self._write(before)
            elif not taken:
                self._state.remove(self._name(claim.project, claim.checkout))
        return taken

    def _taken(self, known: Collection[Claim], project: str, resolved: Resolved, arbiter: Arbiter) -> bool:
        """Whether another checkout of this user, or this one on another branch, has ``project``."""
        taken = False
        for claim in known:
            if claim.project == project and not same_branch(claim, resolved):
                if self._held(claim, arbiter):
                    taken = True
                else:
                    self._forget(claim, arbiter)
        return taken

    def _held(self, claim: Claim, arbiter: Arbiter) -> bool:
        exported = claim.exported and lives(claim) is not False
        return exported or bool(claim.living) or claim.checkout in arbiter.owners(claim.project)

    def _name(self, project: str, checkout: str) -> str:
        return f"{self._folder}/{State.name(f'{project}@{checkout}')}"

    def _write(self, claim: Claim) -> None:
        self._state.keep(self._name(claim.project, claim.checkout), claim)

    def _forget(self, claim: Claim, arbiter: Arbiter) -> None:
        """The record goes last: as long as there is a mark, there is something that knows of it."""
        arbiter.unmark(claim.mark)
        self._state.remove(self._name(claim.project, claim.checkout))

    def _ended(
        self, claim: Claim, arbiter: Arbiter, over: Callable[[Holder], bool] = lambda holder: False
    ) -> bool:
        """Take the dead holders, and those that are ``over``, off ``claim``; whether it is gone with them."""
        claim = replace(claim, holders=tuple(holder for holder in claim.living if not over(holder)))
        if self._held(claim, arbiter):
            self._write(claim)
            return False
        self._forget(claim, arbiter)
        return True

    def _locked(self) -> AbstractContextManager[None]:
        return self._state.lock(self._folder)


def everywhere(state: State) -> tuple[Claim, ...]:
    """The claims on every engine, the latest first."""
    return _latest_first(
        claim for folder in state.folders(_FOLDER) for claim in state.records(folder, Claim).values()
    )


def _latest_first(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    return tuple(sorted(claims, key=lambda claim: -claim.at))


def _may_be_over(claim: Claim) -> bool:
    """Whether nobody may hold the claim any more, as far as can be told without asking the engine."""
    deserted = not Path(claim.root).is_dir()
    return not claim.living if claim.holders else deserted


def _second(known: Collection[Claim], resolved: Resolved, claim: Claim) -> str:
    """The line for who came second."""
    project = project_name(resolved.identity.id, prefix=claim.prefix)
    first = next((c.root for c in known if c.project == project and c.checkout != claim.checkout), "")
    whose = f" by {first}" if first else ""
    return f"{project} is in use{whose}: this checkout runs as {claim.project}"
